"""Loads of small files, and the whole result of each: every row of the table and every reject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.models import LoadReject
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from tests.conftest import sql

TABLE = "landing.orders"
States = Mapping[str | None, str]  # SQLSTATE by column, which is None for the record as a whole
MALFORMED: States = {None: "22P04"}
NOT_TEXT: States = {None: "22021"}


@dataclass(frozen=True, slots=True)
class Bad:
    """A reject: where it is, its bytes, and the SQLSTATE of every bad column."""

    line: int
    record: int
    raw: bytes
    states: States


def create(columns: str) -> None:
    """Create the table of the test."""
    sql(f"CREATE TABLE {TABLE} ({columns})")


def load(
    folder: Path, content: bytes, *, name: str = "orders.csv", dialect: str | None = None, **options: Any
) -> Loaded:
    """Load bytes as a file, with any number of rejects. `dialect` is TOML."""
    path = folder / name
    path.write_bytes(content)
    if dialect is not None:
        options["dialect"] = str(folder / "orders.toml")
        (folder / "orders.toml").write_text(dialect)
    defaults: dict[str, Any] = {"table": TABLE, "max_rejects": 100_000, "force": True}
    return load_file(str(path), **defaults | options)


def rows(*columns: str) -> list[tuple[Any, ...]]:
    """Return the rows of the table, ordered by their columns."""
    names = ", ".join(columns) or "*"
    return sql(f"SELECT {names} FROM {TABLE} ORDER BY {', '.join(str(at + 1) for at in range(len(columns) or 1))}")


def rejects(loaded: Loaded) -> list[Bad]:
    """Return the rejects of a load."""
    return kept_rejects(loaded.load_id)


def kept_rejects(load_id: int) -> list[Bad]:
    """Return the rejects of a load by its id, and require a reason for each problem."""
    found = []
    for one in LoadReject.objects.filter(load_id=load_id).order_by("record_no"):
        assert all(problem["reason"] for problem in one.problems)
        states = {problem["column"]: problem["sqlstate"] for problem in one.problems}
        assert len(states) == len(one.problems)
        found.append(Bad(one.line_no, one.record_no, bytes(one.raw), states))
    return found


def require(loaded: Loaded, *, good: int, bad: Sequence[Bad] = ()) -> None:
    """Require the number of loaded rows, the rejects, and counts that agree with both."""
    found = rejects(loaded)
    assert found == list(bad), found
    counts = loaded.counts
    assert loaded.status is LoadStatus.SUCCESS
    assert (counts.rows_in, counts.rows_inserted, counts.rows_rejected) == (good + len(bad), good, len(bad))
