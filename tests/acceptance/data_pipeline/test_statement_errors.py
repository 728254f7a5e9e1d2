"""Errors that concern the statement and not a row fail the load. They reject nothing."""

from pathlib import Path

import pytest
from django.db import Error, connection

from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.postgres import target_tables
from data_pipeline.postgres.target_tables import TargetTable
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError
from tests.acceptance.data_pipeline.file_loads import TABLE, create, load, rows
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("load_tables")
BODY = b"id,name\n1,a\nx,b\n3,c\n"


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create("id integer, name text")


def fails(folder: Path, *, code: str, content: bytes = BODY) -> None:
    """Require that a load fails with a code, and leaves no row and no reject."""
    with pytest.raises((Error, SeederError)):
        load(folder, content)
    log = LoadLog.objects.get()
    assert (log.status, log.error_code) == ("failed", code)
    assert LoadReject.objects.count() == 0
    assert rows() == []


@pytest.mark.parametrize("grant", ["", f"GRANT SELECT ON {TABLE} TO landing_reader;"])
def test_missing_privilege_fails_the_load(tmp_path: Path, grant: str) -> None:
    sql("DROP ROLE IF EXISTS landing_reader; CREATE ROLE landing_reader;"
        "GRANT USAGE ON SCHEMA landing, public TO landing_reader;"
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO landing_reader;"
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO landing_reader; {grant} SET ROLE landing_reader")  # fmt: skip
    try:
        with pytest.raises((Error, SeederError)):
            load(tmp_path, BODY)
    finally:
        sql("RESET ROLE; DROP OWNED BY landing_reader; DROP ROLE landing_reader")
    assert LoadLog.objects.get().error_code == "42501"
    assert LoadReject.objects.count() == 0


@pytest.mark.parametrize("timeout", ["lock_timeout", "statement_timeout"])
def test_timeout_fails_the_load(tmp_path: Path, timeout: str) -> None:
    sql(f"SET {timeout} = '300ms'")
    try:
        with another_session() as other, other.transaction():
            other.execute(f"LOCK TABLE {TABLE}".encode())
            with pytest.raises((Error, SeederError)):
                load(tmp_path, BODY)
    finally:
        sql(f"RESET {timeout}")
    assert LoadLog.objects.get().error_code == {"lock_timeout": "55P03", "statement_timeout": "57014"}[timeout]
    assert LoadReject.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("PERFORM nosuch FROM landing.orders;", "42703"),
        ("PERFORM 1 FROM landing.nosuch;", "42P01"),
        ("PERFORM nosuch();", "42883"),
        ("PERFORM count(*) FROM generate_series(1, 1000000000);", "57014"),
    ],
    ids=["column", "table", "function", "time"],
)
def test_broken_trigger_fails_the_load(tmp_path: Path, body: str, code: str) -> None:
    sql("CREATE FUNCTION landing.judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body + " RETURN NEW; END $$;"
        f"CREATE TRIGGER judge BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.judge()")  # fmt: skip
    sql("SET statement_timeout = '500ms'")
    try:
        fails(tmp_path, code=code)
    finally:
        sql("RESET statement_timeout")


def test_full_disk_fails_the_load(tmp_path: Path) -> None:
    sql(
        "CREATE FUNCTION landing.judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM count(*) FROM (SELECT n FROM generate_series(1, 100000) AS n ORDER BY -n OFFSET 0) AS s;"
        f" RETURN NEW; END $$; CREATE TRIGGER judge BEFORE INSERT ON {TABLE} FOR EACH ROW"
        " EXECUTE FUNCTION landing.judge(); SET temp_file_limit = 0; SET work_mem = '64kB'"
    )
    try:
        fails(tmp_path, code="53400")
    finally:
        sql("RESET temp_file_limit; RESET work_mem")


def test_column_that_is_dropped_meanwhile_fails_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe_and_drop(database: str, name: ViewName) -> TargetTable:
        target = describe(database, name)
        with another_session() as other:
            other.execute(f"ALTER TABLE {TABLE} DROP COLUMN name".encode())
        return target

    describe = target_tables.describe
    monkeypatch.setattr(target_tables, "describe", describe_and_drop)
    fails(tmp_path, code="42703")


def test_lost_connection_fails_the_load(tmp_path: Path) -> None:
    sql("CREATE FUNCTION landing.judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"
        f"CREATE TRIGGER judge BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.judge()")  # fmt: skip
    with pytest.raises((Error, SeederError)):
        load(tmp_path, BODY)
    connection.close()
    assert LoadReject.objects.count() == 0
    assert rows() == []
