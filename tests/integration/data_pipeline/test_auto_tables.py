"""`--table auto`: the dialect that fits the header, or a new table of the file's own."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from data_pipeline.dialect_errors import AmbiguousHeader
from data_pipeline.errors import HeaderRefused, TableNotTracked, TooManyRejects, UnknownTarget
from data_pipeline.models import LoadEvent, LoadLog, LoadReject
from data_pipeline.services.load_file import load_file
from data_pipeline.services.reject_replay import replay_rejects
from tests.conftest import sql
from tests.unit.data_pipeline.storage.made_workbooks import made_xlsx

pytestmark = pytest.mark.usefixtures("auto_schema")
DIALECT = """
target = "landing.sales"
delimiter = ";"
decimal_mark = ","
key = ["id"]
[columns.id]
type = "integer"
required = true
[columns.amount]
aliases = ["Betrag"]
type = "numeric(9,2)"
rule = "decimal"
required = true
"""


@pytest.fixture
def auto_schema(load_tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The schema of new tables, which does not exist yet, and an empty folder of dialects."""
    sql("DROP SCHEMA IF EXISTS arrivals CASCADE")
    monkeypatch.setenv("DATA_PIPELINE_INGEST_SCHEMA", "arrivals")
    (tmp_path / "dialects").mkdir()
    yield
    sql("DROP SCHEMA IF EXISTS arrivals CASCADE")


@pytest.fixture
def dialects(tmp_path: Path, settings: Any) -> Path:
    """A folder of the host's dialects."""
    settings.DATA_PIPELINE = {"DIALECT_FOLDERS": [str(tmp_path / "dialects")]}
    return tmp_path / "dialects"


def write(path: Path, text: str, *, encoding: str = "utf-8") -> str:
    path.write_bytes(text.encode(encoding))
    return str(path)


def columns(table: str) -> dict[str, str]:
    return dict(
        sql(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            table,
        )
    )


def test_new_table_has_inferred_types_and_the_load_id(tmp_path: Path) -> None:
    path = write(tmp_path / "Orders 2025-01.csv", "Id,Ordered On,Total,Note\n1,2025-01-31,9.50,x\n2,2025-02-01,,7\n")
    loaded = load_file(path)
    assert (loaded.target, loaded.counts.rows_inserted) == ("arrivals.orders", 2)
    assert columns("arrivals.orders") == {
        "id": "bigint",
        "ordered_on": "date",
        "total": "numeric",
        "note": "text",
        "load_id": "bigint",
    }
    assert sql("SELECT id, total, note, load_id FROM arrivals.orders ORDER BY id") == [
        (1, 9.5, "x", loaded.load_id),
        (2, None, "7", loaded.load_id),
    ]
    assert LoadEvent.objects.get(event="table_created").facts["table"] == "arrivals.orders"
    assert LoadLog.objects.get().payload_meta["target_table"] == "arrivals.orders"


def test_second_file_with_the_same_header_appends(tmp_path: Path) -> None:
    load_file(write(tmp_path / "orders_1.csv", "Order Id;Note\n1;a\n"))
    second = load_file(write(tmp_path / "orders_2.csv", "Note;Order Id\nb;2\n"))
    assert sql("SELECT order_id, note FROM arrivals.orders ORDER BY 1") == [(1, "a"), (2, "b")]
    assert sql("SELECT count(DISTINCT load_id) FROM arrivals.orders") == [(2,)]
    assert (second.target, LoadEvent.objects.filter(event="table_created").count()) == ("arrivals.orders", 1)


def test_same_file_is_skipped_the_second_time(tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", "id\n1\n")
    assert [load_file(path).status for _ in range(2)] == ["success", "skipped"]


def test_second_file_with_another_column_is_refused(tmp_path: Path) -> None:
    load_file(write(tmp_path / "orders_1.csv", "id\n1\n"))
    with pytest.raises(HeaderRefused, match="unknown column 'color'"):
        load_file(write(tmp_path / "orders_2.csv", "id,color\n2,red\n"))


def test_later_value_that_does_not_fit_is_a_reject(tmp_path: Path) -> None:
    lines = [f"{n}\n" for n in range(10_001)]
    path = write(tmp_path / "numbers.csv", "n\n" + "".join(lines) + "many\n")
    with pytest.raises(TooManyRejects, match='line 10003: invalid input syntax for type bigint: "many"'):
        load_file(path)
    assert sql("SELECT to_regclass('arrivals.numbers')") == [(None,)]
    assert load_file(path, max_rejects=1).counts.rows_inserted == 10_001
    assert LoadReject.objects.get().line_no == 10_003


def test_reject_of_an_auto_table_is_replayed(tmp_path: Path) -> None:
    sample = "".join(f"{n};{n}\n" for n in range(10_000))
    loaded = load_file(write(tmp_path / "orders.csv", f"Order Id;n\n{sample}7;many\n"), max_rejects=1)
    sql("ALTER TABLE arrivals.orders ALTER n TYPE text")
    assert replay_rejects(loaded.load_id, path=None, actor="test").replayed == [10_001]
    assert sql("SELECT order_id FROM arrivals.orders WHERE n = 'many'") == [(7,)]


def test_table_that_no_load_created_is_refused(tmp_path: Path) -> None:
    sql("CREATE SCHEMA arrivals; CREATE TABLE arrivals.orders (id integer)")
    with pytest.raises(TableNotTracked, match="arrivals.orders"):
        load_file(write(tmp_path / "orders.csv", "id\n1\n"))


def test_compressed_file_is_named_without_its_suffixes(tmp_path: Path) -> None:
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))
    assert load_file(str(tmp_path / "orders.csv.gz")).target == "arrivals.orders"


def test_dialect_is_found_by_the_header_and_creates_its_table(tmp_path: Path, dialects: Path) -> None:
    (dialects / "sales.toml").write_text(DIALECT)
    loaded = load_file(write(tmp_path / "export.csv", "id;Betrag\n1;1,5\n"))
    assert (loaded.target, columns("landing.sales")) == (
        "landing.sales",
        {"id": "integer", "amount": "numeric(9,2)", "load_id": "bigint"},
    )
    assert sql("SELECT id, amount::text FROM landing.sales") == [(1, "1.50")]
    assert LoadLog.objects.get().payload_meta["dialect"] == "sales"
    with pytest.raises(TooManyRejects, match="duplicate key"):
        load_file(write(tmp_path / "again.csv", "id;Betrag\n1;2\n"))


def test_dialect_in_another_encoding_is_found_by_its_header(tmp_path: Path, dialects: Path) -> None:
    (dialects / "sales.toml").write_text('encoding = "cp1252"\n' + DIALECT.replace("Betrag", "Überweisung"))
    load_file(write(tmp_path / "export.csv", "id;Überweisung\n1;1,5\n", encoding="cp1252"))
    assert sql("SELECT id, amount::text FROM landing.sales") == [(1, "1.50")]


def test_header_that_fits_two_dialects_is_refused(tmp_path: Path, dialects: Path) -> None:
    for name in ("sales", "other"):
        (dialects / f"{name}.toml").write_text(DIALECT)
    with pytest.raises(AmbiguousHeader, match="other and sales"):
        load_file(write(tmp_path / "export.csv", "id;amount\n1;1,5\n"))


def test_dialect_without_a_target_gets_a_table_of_the_file(tmp_path: Path) -> None:
    dialect = write(tmp_path / "local.toml", 'delimiter = ";"\n[columns.day]\nrule = "date"\nformats = ["%d.%m.%Y"]\n')
    loaded = load_file(write(tmp_path / "days.csv", "Day;n\n31.1.2025;1\n"), dialect=dialect)
    assert loaded.target == "arrivals.days"
    assert sql("SELECT day::text, n FROM arrivals.days") == [("2025-01-31", 1)]


def test_sheet_fits_a_dialect_with_another_delimiter(tmp_path: Path, dialects: Path) -> None:
    (dialects / "sales.toml").write_text(DIALECT)
    rows = [["id", "Betrag"], ["1", "1,5"]]
    cells = ["".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row) for row in rows]
    path = made_xlsx(tmp_path / "export.xlsx", "".join(f"<row>{row}</row>" for row in cells))
    assert load_file(str(path)).target == "landing.sales"
    assert sql("SELECT id, amount::text FROM landing.sales") == [(1, "1.50")]


def test_header_in_another_encoding_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(HeaderRefused, match="byte 1 of the record is not UTF-8: 0xdc; a dialect can declare"):
        load_file(write(tmp_path / "a.csv", "Über\n1\n", encoding="cp1252"))


def test_concurrent_loads_create_one_table(tmp_path: Path) -> None:
    barrier, failures = threading.Barrier(3), list[BaseException]()

    def work(number: int) -> None:
        try:
            path = write(tmp_path / f"orders_{number}.csv", f"id\n{number}\n")
            barrier.wait(60)
            load_file(path)
        except BaseException as error:  # noqa: BLE001  # shown by the assertion
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sql("SELECT id FROM arrivals.orders ORDER BY id") == [(0,), (1,), (2,)]


LIST_DIALECT = 'target = "lists"\nmode = "upsert"\nkey = ["sku"]\n[columns.sku]\ntype = "text"\n'


def test_target_without_schema_is_created_in_the_ingest_schema(auto_schema: None, tmp_path: Path) -> None:
    """A later load finds the table there, unless the search path has one of this name."""
    path, file = tmp_path / "list.csv", tmp_path / "lists.toml"
    path.write_text("sku\na1\n")
    file.write_text(LIST_DIALECT)
    dialect = str(file)
    sql("SET search_path TO reporting, landing, public")
    try:
        for force in (False, True):
            assert load_file(str(path), dialect=dialect, force=force).target == "arrivals.lists"
        assert load_file(str(path), table="lists", dialect=dialect, force=True).target == "arrivals.lists"
        with pytest.raises(UnknownTarget, match=r"public\.lists"):
            load_file(str(path), table="public.lists", dialect=dialect, force=True)
        sql("CREATE TABLE landing.lists (LIKE arrivals.lists INCLUDING ALL)")
        assert load_file(str(path), dialect=dialect, force=True).target == "landing.lists"
    finally:
        sql("RESET search_path")
