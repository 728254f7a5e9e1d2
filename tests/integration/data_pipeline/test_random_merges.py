"""Random files in all modes, compared with a model: every row, reject and count, and the table after an undo."""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from data_pipeline.errors import KeysUnreadable
from data_pipeline.services.tracking import track_loads
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rejects
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import table_hash, undo

pytestmark = [pytest.mark.usefixtures("load_tables"), pytest.mark.slow]

Values = tuple[int | None, str, str | None]
Record = tuple[str, str, str, str]  # fields as in the file
MODES = ["upsert", "upsert", "snapshot", "replace", "append"]
LOADS, LIMIT = 100, 90
SEEDS = int(os.environ.get("DATA_PIPELINE_RANDOM_TABLES", "1"))  # `make soak` sets more
TEXTS = {"a": "a", "b": "b", '"q,\n"': "q,\n", '""': ""}


@dataclass
class Model:
    """The rows of the table by their key, and what the last load did."""

    rows: dict[int, Values] = field(default_factory=dict)
    rejected: list[int] = field(default_factory=list)
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def after(self, records: list[Record], mode: str) -> "Model | None":
        """Return the model after a load, or None if it fails, because a record of a snapshot has no key."""
        if mode == "snapshot" and not all(record[0].isdigit() for record in records):
            return None
        good = {number: one for number, record in enumerate(records, start=1) if (one := _parsed(record)) is not None}
        kept = dict(self.rows)
        if mode == "replace":
            kept = {}
        elif mode == "snapshot":
            keys = {int(record[0]) for record in records}
            kept = {key: values for key, values in kept.items() if key in keys}
        after = Model(rows=dict(kept), deleted=len(self.rows) - len(kept))
        taken = set(kept) if mode == "append" else set()
        for number in range(1, len(records) + 1):
            key, values = good.get(number, (None, None))
            if key is None or values is None or key in taken or (values[0] or 0) >= LIMIT:
                after.rejected.append(number)
                continue
            taken.add(key)
            after.rows[key] = values
            after.inserted += key not in kept
            after.updated += kept.get(key, values) != values
            after.unchanged += kept.get(key) == values
        return after


def _parsed(record: Record) -> tuple[int, Values] | None:
    """Return the key and the values of a record whose values have the types of the columns."""
    key, amount, text, document = record
    if not key.isdigit() or not (amount.isdigit() or not amount) or not text or document == "{":
        return None
    return int(key), (int(amount) if amount else None, TEXTS[text], document or None)


def _random_record(source: random.Random) -> Record:
    key = source.choice([*map(str, range(12)), *map(str, range(12)), *map(str, range(12)), source.choice(["x", ""])])
    amount = source.choice([*map(str, range(5)), str(LIMIT), source.choice(["y", ""])])
    text = source.choice([*TEXTS, "a", "b", ""])
    return key, amount, text, source.choice(["1", "1", "1.0", "", "{"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_files_leave_what_the_model_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    create(f"id integer PRIMARY KEY, amount integer CHECK (amount < {LIMIT}), label text NOT NULL, document json")
    track_loads(TABLE)
    source, model = random.Random(seed), Model()  # noqa: S311  # repeatable files
    for _ in range(LOADS):
        monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", source.choice(["0", "2", "5", "100"]))
        mode, before = source.choice(MODES), table_hash(TABLE)
        records = [_random_record(source) for _ in range(source.randrange(14))]
        content = "".join(f"{','.join(one)}\n" for one in [("id", "amount", "label", "document"), *records])
        expected = model.after(records, mode)
        if expected is None:
            with pytest.raises(KeysUnreadable):
                load(tmp_path, content.encode(), mode=mode)
            assert table_hash(TABLE) == before
            continue
        loaded = load(tmp_path, content.encode(), mode=mode)
        counts = loaded.counts
        assert dict(_rows()) == expected.rows, (mode, content)
        assert [one.record for one in rejects(loaded)] == expected.rejected, (mode, content)
        assert (counts.rows_in, counts.rows_rejected) == (len(records), len(expected.rejected))
        found = (counts.rows_inserted, counts.rows_updated, counts.rows_unchanged, counts.rows_deleted)
        assert found == (expected.inserted, expected.updated, expected.unchanged, expected.deleted), (mode, content)
        if source.random() < 0.5:
            undo(loaded.load_id)
            assert table_hash(TABLE) == before, (mode, content)
        else:
            model = expected


def _rows() -> list[tuple[int, Values]]:
    found = sql(f"SELECT id, amount, label, document::text FROM {TABLE}")
    return [(key, (amount, label, document)) for key, amount, label, document in found]
