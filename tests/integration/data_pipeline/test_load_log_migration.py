"""The migrations of the loading lane: columns and constraints as specified, forward and backward."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")

# As the specification lists them. Columns of this app stand behind those.
SPECIFIED = [
    ("id", "bigint", "NO"),
    ("source", "character varying(128)", "NO"),
    ("idempotency_key", "character(64)", "NO"),
    ("status", "text", "NO"),
    ("payload_meta", "jsonb", "NO"),
    ("processed_by", "text", "YES"),
    ("task_id", "text", "YES"),
    ("duration_ms", "integer", "YES"),
    ("error_message", "character varying(1024)", "YES"),
    ("created_at", "timestamp with time zone", "NO"),
    ("updated_at", "timestamp with time zone", "NO"),
]
OWN = ["attempts", "succeeded_at", "xid", "target", "rows_in", "rows_inserted", "rows_updated", "rows_unchanged"]
TABLES = ["load_change", "load_event", "load_log", "load_refresh", "load_reject", "load_request"]
KEY = "0" * 64


def tables() -> list[str]:
    return [
        name
        for (name,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'load%'")
        if name in TABLES
    ]


def insert(**columns: str | int) -> None:
    values = {"source": "test", "idempotency_key": KEY, "status": "pending", **columns}
    with transaction.atomic():
        sql(f"INSERT INTO load_log ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})", *values.values())


def test_load_log_has_the_specified_columns_first() -> None:
    columns = sql(
        "SELECT attname::text, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END"
        " FROM pg_attribute WHERE attrelid = 'public.load_log'::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    )
    assert columns[: len(SPECIFIED)] == SPECIFIED
    assert [name for name, *_ in columns[len(SPECIFIED) :]][: len(OWN)] == OWN


def test_source_and_key_are_unique_together() -> None:
    insert()
    insert(source="other")
    insert(idempotency_key="1" * 64)
    with pytest.raises(DatabaseError, match="load_log_source_key"):
        insert()


@pytest.mark.parametrize("status", ["pending", "success", "skipped", "failed"])
def test_specified_status_is_accepted(status: str) -> None:
    insert(status=status)
    assert sql("SELECT status, payload_meta::text, attempts FROM load_log") == [(status, "{}", 1)]


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "done"},
        {"status": "PENDING"},
        {"idempotency_key": "A" * 64},
        {"idempotency_key": "0" * 63},
        {"idempotency_key": "g" * 64},
        {"source": "x" * 129},
        {"error_message": "x" * 1025},
    ],
)
def test_other_values_are_refused(columns: dict[str, str]) -> None:
    with pytest.raises(DatabaseError):
        insert(**columns)


def test_lengths_are_characters_and_not_bytes() -> None:
    insert(source="é" * 128, error_message="é" * 1024)


def test_specified_indexes_exist() -> None:
    definitions = [text for (text,) in sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'load_log'")]
    for columns in ("(source, idempotency_key)", "(updated_at DESC)", "(source, status)"):
        assert any(text.endswith(columns) for text in definitions), columns


def test_deleted_success_with_rows_is_refused() -> None:
    """Its request for a refresh references it."""
    insert(status="success")
    sql("INSERT INTO load_refresh (load_id, relations) SELECT id, '[]' FROM load_log")
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("DELETE FROM load_log")


def test_statements_of_the_documents_run_verbatim() -> None:
    statements = [
        statement
        for page in ("how-to/correct-loads.md", "how-to/load-files.md", "explanation/loading.md")
        for block in code_blocks(page_text(page), "sql")
        for statement in block.split(";")
        if statement.strip()
    ]
    assert len(statements) >= 3
    insert()
    for statement in statements:
        sql(statement)


@pytest.fixture
def migrated(load_tables: None) -> Iterator[None]:
    yield
    call_command("migrate", "data_pipeline", verbosity=0)


@pytest.mark.slow
def test_migrations_run_backward_and_forward(migrated: None) -> None:
    insert()
    call_command("migrate", "data_pipeline", "zero", verbosity=0)
    assert tables() == []
    assert sql("SELECT count(*) FROM pg_proc WHERE proname LIKE 'load_event%'") == [(0,)]
    call_command("migrate", "data_pipeline", verbosity=0)
    assert sorted(tables()) == TABLES
    assert sql("SELECT count(*) FROM load_log") == [(0,)]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql("INSERT INTO load_event (event, actor) VALUES ('x', 'y'); DELETE FROM load_event")


@pytest.mark.slow
def test_dismissed_letters_of_the_former_table_stay_dismissed(migrated: None) -> None:
    call_command("migrate", "data_pipeline", "0008", verbosity=0)
    for key, state in (("1" * 64, "dismissed"), ("2" * 64, "open")):
        insert(status="failed", idempotency_key=key)
        sql(
            "INSERT INTO load_dead_letter (source, idempotency_key, uri, error_code, error_message, state, load_id)"
            " SELECT source, idempotency_key, 's3://b/k', 'x', 'y', %s, max(id) OVER () FROM load_log"
            " WHERE idempotency_key = %s",
            *(state, key),
        )
    call_command("migrate", "data_pipeline", verbosity=0)
    assert sql("SELECT state FROM load_dead_letter ORDER BY load_id") == [("dismissed",), ("open",)]
