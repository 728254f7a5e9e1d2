"""Files are loaded with columns that lookups add, from a table or from another file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from data_pipeline.dialect_errors import BadReference
from data_pipeline.domain.dialects import Lookup
from data_pipeline.errors import HeaderRefused
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.postgres.reference_tables import read_table
from data_pipeline.services.dry_run import dry_run
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from data_pipeline.services.reject_replay import replay_rejects
from data_pipeline.services.tracking import track_loads
from data_pipeline.services.verifying import verify_load
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
DIALECT = "target = 'landing.orders'\n[columns.id]\ntype = 'integer'\n[columns.sku]\nrule = 'upper'\n"
NULL = "missing = 'null'"
LOOKUP = Lookup(name="kind", column="sku", match="article", take="kind", table="landing.articles")
ORDERS = "id,sku\n1,a-1\n2, B-2\n3,\n4,A-1\n"
Load = Callable[..., Loaded]


@pytest.fixture(params=["table", "file"])
def reference(request: pytest.FixtureRequest, load_tables: None, tmp_path: Path) -> str:
    """The key of a dialect for a table of articles, or for a file of them."""
    sql(
        "CREATE TABLE landing.articles (article text, kind text);"
        "INSERT INTO landing.articles VALUES ('A-1', 'tools'), ('B-2', NULL), ('D-4', 'toys'), (NULL, 'none')"
    )
    (tmp_path / "articles.csv").write_text("article;kind\nA-1; tools\nB-2;\nD-4;toys\n;none\n")
    if request.param == "file":
        return f"reference = '{tmp_path / 'articles.csv'}'"
    return "table = 'landing.articles'" if request.param == "table" else "table = 'landing.days'"


@pytest.fixture
def files(tmp_path: Path, reference: str) -> Callable[..., tuple[str, str]]:
    """Write a file, and a dialect whose lookup has further keys. Return their paths."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, sku text, kind varchar(5))")

    def write(text: str, *keys: str, dialect: str = DIALECT) -> tuple[str, str]:
        (tmp_path / "orders.csv").write_text(text)
        lookup = ["[lookups.kind]", "column = 'sku'", "match = 'article'", reference, *keys]
        (tmp_path / "orders.toml").write_text(dialect + "\n".join(lookup))
        return str(tmp_path / "orders.csv"), str(tmp_path / "orders.toml")

    return write


@pytest.fixture
def load(files: Callable[..., tuple[str, str]]) -> Load:
    def load(text: str, *keys: str, dialect: str = DIALECT, **options: Any) -> Loaded:
        path, dialect_path = files(text, *keys, dialect=dialect)
        return load_file(path, dialect=dialect_path, **options)

    return load


def rows() -> list[tuple[object, ...]]:
    return sql("SELECT id, sku, kind FROM landing.orders ORDER BY id")


def problems() -> dict[int, list[tuple[object, ...]]]:
    """The rejects by physical line."""
    return {
        one.line_no: [(each["column"], each["reason"].partition(":")[0], each["value"]) for each in one.problems]
        for one in LoadReject.objects.all()
    }


@pytest.mark.parametrize("mode", ["append", "upsert", "replace", "snapshot"])
def test_rows_get_the_value_of_the_reference(load: Load, mode: str) -> None:
    sql("INSERT INTO landing.orders VALUES (1, 'A-1', 'old')" if mode != "append" else "SELECT 1")
    load(ORDERS, mode=mode)
    assert rows() == [(1, "A-1", "tools"), (2, "B-2", None), (3, None, None), (4, "A-1", "tools")]


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_value_that_is_not_in_the_reference_is_rejected(load: Load, mode: str) -> None:
    load('id,sku\n1,a-1\n2,"c-\n3"\nx,c-3\n4,c-4\n', mode=mode, max_rejects=3)
    assert rows() == [(1, "A-1", "tools")]
    assert problems() == {
        3: [("sku", "not_in_reference", "c-\n3")],
        5: [
            ("id", "invalid input syntax for type integer", "x"),
            ("sku", "not_in_reference", "c-3"),
        ],
        6: [("sku", "not_in_reference", "c-4")],
    }
    assert LoadLog.objects.get().payload_meta["normalize_errors"] == {"not_in_reference": 3}


def test_value_that_is_not_in_the_reference_is_null(load: Load) -> None:
    load("id,sku\n1,a-1\n2,c-3\n", NULL)
    assert rows() == [(1, "A-1", "tools"), (2, "C-3", None)]


def test_added_value_that_the_table_refuses_is_rejected_with_it(load: Load) -> None:
    sql("ALTER TABLE landing.orders ALTER kind TYPE varchar(4)")
    load("id,sku\n1,a-1\n2,d-4\n", max_rejects=1)
    assert rows() == [(2, "D-4", "toys")]
    assert problems() == {2: [("kind", "value too long for type character varying(4)", "tools")]}


def test_required_column_is_added_by_a_lookup(load: Load) -> None:
    sql("ALTER TABLE landing.orders ALTER kind SET NOT NULL")
    load("id,sku\n1,a-1\n2,b-2\n3,c-3\n", max_rejects=2)
    assert rows() == [(1, "A-1", "tools")]
    assert {line: [one[0] for one in found] for line, found in problems().items()} == {3: ["kind"], 4: ["sku"]}


def test_rows_keep_the_order_of_the_file(load: Load) -> None:
    sql("ALTER TABLE landing.orders ADD place bigint GENERATED ALWAYS AS IDENTITY")
    skus = ["a-1", "d-4", "b-2"]
    load("id,sku\n" + "".join(f"{number},{skus[number % 3]}\n" for number in range(5000)))
    assert sql("SELECT count(*) FROM landing.orders WHERE id <> place - 1") == [(0,)]


def test_lookup_of_rescued_values_beside_it_is_added(load: Load) -> None:
    sql("ALTER TABLE landing.orders ADD rescued jsonb")
    load("id,color,sku\n1,red,a-1\n", dialect=f"surplus = 'rescue'\n{DIALECT}")
    assert sql("SELECT id, sku, kind, rescued->>'color' FROM landing.orders") == [(1, "A-1", "tools", "red")]


def test_missing_column_of_a_lookup_is_added(load: Load) -> None:
    sql("ALTER TABLE landing.orders DROP kind")
    load(ORDERS, dialect=f"surplus = 'add'\n{DIALECT}")
    assert rows()[0] == (1, "A-1", "tools")


def test_missing_table_is_created_with_the_columns_of_lookups(load: Load) -> None:
    sql("DROP TABLE landing.orders")
    load(ORDERS)
    assert rows()[0] == (1, "A-1", "tools")


def test_lookup_needs_no_rule(load: Load) -> None:
    load("id,sku\n1,A-1\n2,a-1\n", dialect=DIALECT.replace("rule = 'upper'", ""), max_rejects=1)
    assert (rows(), list(problems())) == ([(1, "A-1", "tools")], [3])


@pytest.mark.parametrize(
    ("text", "before", "error"),
    [
        ("id\n1\n", "", "missing column 'sku', which is looked up"),
        ("id,sku,kind\n1,a-1,x\n", "", "'kind' is added by a lookup"),
        (ORDERS, "ALTER TABLE landing.orders DROP kind", "the table has no column 'kind' for a lookup"),
    ],
)
def test_file_and_table_must_fit_the_lookups(load: Load, text: str, before: str, error: str) -> None:
    sql(before or "SELECT 1")
    with pytest.raises(HeaderRefused, match=error):
        load(text)


def test_record_is_loaded_once_the_reference_has_its_value(
    load: Load, files: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    loaded = load("id,sku\n1,a-1\n2,c-3\n", max_rejects=1)
    sql("INSERT INTO landing.articles VALUES ('C-3', 'toys')")
    with (tmp_path / "articles.csv").open("a") as file:
        file.write("C-3;toys\n")
    replayed = replay_rejects(loaded.load_id, path=None, actor="test")
    assert (replayed.replayed, rows()) == ([2], [(1, "A-1", "tools"), (2, "C-3", "toys")])


def test_load_is_verified_unless_the_reference_has_changed(load: Load, tmp_path: Path) -> None:
    track_loads("landing.orders")
    loaded = load(ORDERS)
    assert verify_load(loaded.load_id, actor="test").is_proved
    sql("UPDATE landing.articles SET kind = 'x' WHERE kind = 'tools'")
    (tmp_path / "articles.csv").write_text("article;kind\nA-1;x\nB-2;\n")
    verified = verify_load(loaded.load_id, actor="test")
    assert verified.rows == "unknown"
    assert "The reference of the lookup kind has other values" in (verified.reason or "")


def test_dry_run_shows_what_lookups_refuse(files: Callable[..., tuple[str, str]]) -> None:
    path, dialect = files("id,sku\n1,a-1\n2,c-3\n")
    tried = dry_run(path, dialect=dialect, max_rejects=1)
    assert (tried.counts.rows_inserted, tried.counts.rows_rejected, rows()) == (1, 1, [])
    assert tried.rejects[0].problems[0].reason.startswith("not_in_reference: ")


def test_reference_is_read_once_for_all_chunks(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_STREAMING_CHUNK_SIZE", "2")
    load("id,sku\n" + "".join(f"{number},a-1\n" for number in range(9)))
    assert sql("SELECT count(*) FROM landing.orders WHERE kind = 'tools'") == [(9,)]


@pytest.mark.parametrize("reference", ["table"], indirect=True)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("DROP TABLE landing.articles", "there is no such table or view"),
        ("ALTER TABLE landing.articles DROP kind", "it must have one column 'kind', but has 'article'"),
        ("INSERT INTO landing.articles VALUES ('A-1', 'x')", "it has several values for 'A-1'"),
        (
            """DROP TABLE landing.articles;
            CREATE VIEW landing.articles AS SELECT 'A-1' AS article, 1 / length('') AS kind""",
            "division by zero",
        ),
    ],
)
def test_bad_table_of_a_lookup_fails_the_load(load: Load, change: str, error: str) -> None:
    sql(change)
    with pytest.raises(BadReference, match=error):
        read_table("default", LOOKUP)
    with pytest.raises(BadReference, match=f"The reference landing.articles cannot be used: {error}"):
        load(ORDERS)
    assert (LoadLog.objects.get().status, rows()) == ("failed", [])


@pytest.mark.parametrize("reference", ["table"], indirect=True)
@pytest.mark.usefixtures("reference")
def test_long_transaction_reads_a_table_without_holding_back_vacuum() -> None:
    with transaction.atomic():
        assert sorted(read_table("default", LOOKUP)) == [("A-1", "tools"), ("B-2", None), ("D-4", "toys")]
        assert sql("SELECT pg_current_xact_id_if_assigned()") == [(None,)]


@pytest.mark.parametrize("reference", ["view"], indirect=True)
def test_keys_of_other_types_are_compared_as_texts(load: Load) -> None:
    sql(
        "CREATE VIEW landing.days AS SELECT 15::numeric AS article, date '2025-01-31' AS kind;"
        "ALTER TABLE landing.orders ALTER kind TYPE date USING NULL"
    )
    dialect = DIALECT.replace("rule = 'upper'", "rule = 'decimal'\ndecimal_mark = ','")
    load('id,sku\n1,"15"\n2,"15,0"\n', dialect=dialect, max_rejects=1)
    assert sql("SELECT id, kind::text FROM landing.orders") == [(1, "2025-01-31")]
    assert problems() == {3: [("sku", "not_in_reference", "15,0")]}
