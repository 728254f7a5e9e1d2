"""Python and PostgreSQL look up the same texts in the same references alike."""

import json
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql as composed

from data_pipeline.dialect_errors import BadReference
from data_pipeline.domain import enrichments
from data_pipeline.domain.dialects import Column, Lookup, Missing
from data_pipeline.domain.enrichments import Enrichment, Pair, reference_values
from data_pipeline.postgres import reference_tables, target_tables
from data_pipeline.postgres.lookup_columns import LookupColumn
from data_pipeline.postgres.staging_tables import FileColumn
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.transactions import atomic, rolled_back_atomic
from tests.conftest import sql

Outcome = tuple[str | None, str | None]  # the added text, and the reason of a refusal
Find = Callable[[Missing, Sequence[Pair], Sequence[str | None]], list[Outcome] | str]

LONG = "x" * 9000
PAIRS: Sequence[Pair] = [
    ("A-1", "tools"),
    (" A-1\u00a0", "tools "),
    ("b", None),
    ("c", " "),
    ("100%", "50 %s"),
    ("ł'\"\\", 'a "b"'),
    ("", "of nothing"),
    (None, "of NULL"),
    (LONG, "long"),
]
VALUES = {"A-1": "tools", "b": None, "c": None, "100%": "50 %s", "ł'\"\\": 'a "b"', LONG: "long"}
MISSES = ["", " A-1", "a-1", "\\N", LONG[1:]]

words = st.sampled_from(["", " ", "a", "A", "a ", "\u00a0b", "ä", "%s", "'", "\\N", "\t"])
letters = words | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
pairs_of_letters = st.lists(st.tuples(st.none() | letters, st.none() | letters), max_size=8)


def by_python(missing: Missing, pairs: Sequence[Pair], texts: Sequence[str | None]) -> list[Outcome] | str:
    lookup = _lookup(missing)
    try:
        enrichment = Enrichment(lookup=lookup, position=0, values=reference_values(pairs, source=lookup.source))
    except BadReference as error:
        return str(error).partition(" for ")[0]  # either may be the first ambiguous key
    outcomes = list[Outcome]()
    for text in texts:
        record = [text]
        problem = enrichment.add_to(record, [text])
        outcomes.append((record[1], problem.reason.partition(":")[0] if problem else None))
    return outcomes


def by_postgresql(
    missing: Missing, pairs: Sequence[Pair], texts: Sequence[str | None], *, is_table: bool
) -> list[Outcome] | str:
    table = target_tables.describe("default", ViewName(schema="landing", name="reference"))
    column = FileColumn(position=1, target=table.column("take"), declared=Column(name="take"))
    added = LookupColumn(lookup=_lookup(missing), column=column, read_pairs=None if is_table else lambda: pairs)
    with rolled_back_atomic("default"):
        if is_table:
            rows = json.dumps([{"match": match, "take": take} for match, take in pairs])
            sql(
                "INSERT INTO landing.reference SELECT * FROM json_populate_recordset(NULL::landing.reference, %s)", rows
            )
        try:
            added.create_reference("default")
        except BadReference as error:
            return str(error).partition(" for ")[0]
        key = composed.Identifier("f", "key")
        refusal = added.refusal(key) if added.can_be_refused else composed.SQL("NULL")
        query = composed.SQL("SELECT {}, {} FROM unnest({}::text[]) AS f (key) {}").format(
            added.text, refusal, composed.Literal(list(texts)), added.join(key)
        )
        return sessions.query("default", query)


def _lookup(missing: Missing) -> Lookup:
    return Lookup(name="x", column="y", table="landing.reference", match="match", take="take", missing=missing)


@pytest.fixture
def reference_table(load_tables: None) -> None:
    sql("CREATE TABLE landing.reference (match text, take text)")


@pytest.mark.usefixtures("reference_table")
@pytest.mark.parametrize("missing", list(Missing))
@pytest.mark.parametrize(
    "find", [by_python, partial(by_postgresql, is_table=False), partial(by_postgresql, is_table=True)]
)
def test_text_gets_the_value_of_its_key(find: Find, missing: Missing) -> None:
    refusal = "not_in_reference" if missing is Missing.REJECT else None
    found = find(missing, PAIRS, [None, *VALUES, *MISSES])
    assert found == [(None, None), *((value, None) for value in VALUES.values()), *[(None, refusal)] * len(MISSES)]


@pytest.mark.usefixtures("reference_table")
@pytest.mark.parametrize(
    "find", [by_python, partial(by_postgresql, is_table=False), partial(by_postgresql, is_table=True)]
)
@pytest.mark.parametrize("values", [("1", "2"), (None, "2")])
def test_key_with_several_values_is_refused(find: Find, values: tuple[str | None, str]) -> None:
    expected = "The reference landing.reference cannot be used: it has several values"
    assert find(Missing.NULL, [("a ", values[0]), ("a", values[1])], []) == expected


@pytest.mark.usefixtures("reference_table")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pairs=pairs_of_letters, texts=st.lists(st.none() | letters, min_size=1, max_size=8))
def test_python_and_postgresql_agree(pairs: list[Pair], texts: list[str | None]) -> None:
    expected = by_python(Missing.REJECT, pairs, texts)
    for is_table in (False, True):
        assert by_postgresql(Missing.REJECT, pairs, texts, is_table=is_table) == expected


@pytest.mark.usefixtures("reference_table")
def test_table_that_was_read_into_memory_is_not_locked() -> None:
    sql("INSERT INTO landing.reference VALUES ('a', '1'), ('a', '1 '), (' b', NULL)")
    with atomic("default"):
        assert sorted(reference_tables.read_table("default", _lookup(Missing.NULL))) == [("a", "1"), ("b", None)]
        locks = sql("SELECT count(*) FROM pg_locks WHERE relation = 'landing.reference'::regclass")
    assert locks == [(0,)]


@pytest.mark.usefixtures("reference_table")
def test_table_that_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrichments, "_MAX_BYTES", 9)
    sql("INSERT INTO landing.reference VALUES ('a', '12345678')")
    assert len(reference_tables.read_table("default", _lookup(Missing.NULL))) == 1
    sql("INSERT INTO landing.reference VALUES ('b', NULL)")
    with pytest.raises(BadReference, match="landing.reference cannot be used: its values have more than 32 MB"):
        reference_tables.read_table("default", _lookup(Missing.NULL))
