"""contract.sql, the models and a connected database, compared column by column."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from pytest_django import Settings

from seeder.checks import check_database, check_models, check_settings
from seeder.models import RunHistory
from seeder.postgres import contract
from seeder.postgres.contract import ContractColumn
from seeder.services import contract_installation
from tests.conftest import sql


def messages() -> list[tuple[str, str]]:
    return [(message.id or "", message.msg) for message in check_database(databases=["default"])]


@pytest.mark.usefixtures("contract_tables")
def test_parsed_contract_matches_the_installed_tables() -> None:
    assert contract.tables_in_database("default") == contract.tables_in_sql()


@pytest.mark.usefixtures("contract_tables")
def test_models_match_the_contract() -> None:
    assert contract.tables_in_models("default") == contract.tables_in_sql()


def test_contract_is_parsed_completely() -> None:
    tables_in_sql_file = contract.tables_in_sql()
    assert len(tables_in_sql_file) == 21
    assert tables_in_sql_file["seeder_run_history"]["start_time"] == ContractColumn(
        type="timestamp with time zone", nullable=False
    )
    assert tables_in_sql_file["seeder_run_history"]["finish_time"] == ContractColumn(
        type="timestamp with time zone", nullable=True
    )
    assert next(iter(tables_in_sql_file["seeder_job_status"])) == "table_name"
    assert len(tables_in_sql_file["seeder_run_history"]) == 20


@pytest.mark.usefixtures("contract_tables")
def test_defaults_and_indexes_are_those_of_the_contract() -> None:
    defaults = dict(
        sql(
            "SELECT c.relname || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
            " JOIN pg_class c ON c.oid = d.adrelid"
            " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
            " WHERE c.relnamespace = 'reporting'::regnamespace AND a.attname <> 'id'"
        )
    )
    assert defaults == {
        "seeder_custom_report_manifest.enabled": "true",
        "seeder_circuit_breaker.causes": "'{}'::jsonb",
        "seeder_run_history.start_time": "now()",
        "seeder_run_history.records_processed": "0",
        "seeder_run_history.bytes_processed": "0",
        "seeder_run_history.consecutive_failures": "0",
        "seeder_run_history.created_at": "now()",
        "seeder_run_history.updated_at": "now()",
        "seeder_job_status.duration_seconds": "0",
        "seeder_job_status.consecutive_failures": "0",
        "seeder_job_status.updated_at": "now()",
        "seeder_release_snapshot.captured_at": "now()",
        "seeder_circuit_breaker.failures": "0",
        "seeder_circuit_breaker.updated_at": "now()",
        "seeder_run.holds": "'[]'::jsonb",
        "seeder_run.parallel_query": "'{}'::jsonb",
        "seeder_view_state.updated_at": "now()",
        "seeder_freshness.due_since": "'00:00:00'::time without time zone",
        "seeder_freshness.due_zone": "'UTC'::text",
        "seeder_freshness.due_days": "'1-7'::text",
        "seeder_freshness.grace": "'00:00:00'::interval",
        "seeder_freshness.severity": "'error'::text",
        "seeder_queued_refresh.requested_at": "now()",
        "seeder_queued_refresh.idempotency_keys": "'{}'::jsonb",
        "seeder_queued_refresh.is_forced": "false",
        "seeder_queued_refresh.state": "'queued'::text",
        "seeder_queued_refresh.run_ids": "'[]'::jsonb",
        "seeder_check.database_alias": "'default'::text",
        "seeder_check.arguments": "'{}'::jsonb",
        "seeder_check.severity": "'error'::text",
        "seeder_check.tolerated_rows": "0",
        "seeder_check.tolerated_share": "0",
        "seeder_check.enabled": "true",
        "seeder_check.updated_at": "now()",
        "seeder_check_waiver.granted_at": "now()",
        "seeder_change_sample.requested_at": "now()",
        "seeder_alert.contract_id": "0",
        "seeder_alert.notified": "'ok'::text",
        "seeder_mute.muted_at": "now()",
        "seeder_notification.created_at": "now()",
        "seeder_notification.state": "'pending'::text",
        "seeder_notification.attempts": "0",
        "seeder_notification.due_at": "now()",
    }
    indexed = {
        definition.partition(" USING ")[2]
        for (definition,) in sql(
            "SELECT indexdef FROM pg_indexes WHERE tablename IN ('seeder_run_history', 'seeder_job_status')"
        )
    }
    assert indexed == {
        "btree (id)",
        "btree (table_name)",
        "btree (agency_slug)",
        "btree (start_time DESC)",
        "btree (run_id) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]))",
        # additions to the specification
        "btree (manifest_id, start_time DESC)",
        "btree (table_name, start_time DESC)",
        "btree (table_name, start_time DESC) WHERE (status = 'success'::text)",
        "btree (start_time DESC) WHERE (status = 'error'::text)",
        "btree (run_id)",
    }


@pytest.mark.usefixtures("bare_database")
def test_install_names_created_tables_and_is_repeatable() -> None:
    assert contract_installation.install("default") == tuple(contract.tables_in_sql())
    sql("INSERT INTO reporting.seeder_canned_report VALUES (1, 'a', 'b', 'c', 1)")
    assert contract_installation.install("default") == ()
    assert sql("SELECT count(*) FROM reporting.seeder_canned_report") == [(1,)]
    sql("DROP TABLE reporting.seeder_job_status")
    assert contract_installation.install("default") == ("seeder_job_status",)


@pytest.mark.usefixtures("contract_tables")
def test_installed_contract_passes_the_check() -> None:
    assert messages() == []


@pytest.mark.usefixtures("contract_tables")
def test_check_names_each_different_column() -> None:
    sql("ALTER TABLE reporting.seeder_run_history DROP COLUMN errors, ALTER COLUMN run_id TYPE varchar(40)")
    sql("ALTER TABLE reporting.seeder_job_status ALTER COLUMN start_time SET NOT NULL, ADD COLUMN beyond text")
    sql("DROP TABLE reporting.seeder_canned_report")
    timestamp = "timestamp with time zone"
    assert messages() == [
        ("seeder.W003", "reporting.seeder_canned_report: a table in the contract, missing here."),
        (
            "seeder.W004",
            "reporting.seeder_run_history.run_id: text not null in the contract, character varying(40) not null here.",
        ),
        ("seeder.W003", "reporting.seeder_run_history.errors: text null in the contract, missing here."),
        (
            "seeder.W004",
            f"reporting.seeder_job_status.start_time: {timestamp} null in the contract, {timestamp} not null here.",
        ),
    ]


@pytest.mark.usefixtures("contract_tables")
def test_missing_optional_table_is_only_information() -> None:
    sql("DROP TABLE reporting.seeder_run_metrics")
    [(check_id, message)] = messages()
    assert check_id == "seeder.I006"
    assert message == (
        "reporting.seeder_run_metrics: a table in the contract, missing here. It is optional. Without it the history"
        " says how each refresh ended, but not what it waited for and what it cost the server."
    )
    call_command("check", databases=["default"], fail_level="WARNING")


@pytest.mark.usefixtures("contract_tables")
def test_different_optional_table_is_a_warning() -> None:
    sql("ALTER TABLE reporting.seeder_run_metrics DROP COLUMN cpu_seconds, ALTER COLUMN attempts TYPE bigint")
    assert [(check_id, message.partition(". It")[0]) for check_id, message in messages()] == [
        ("seeder.W006", "reporting.seeder_run_metrics.attempts: integer null in the contract, bigint null here"),
        (
            "seeder.W006",
            "reporting.seeder_run_metrics.cpu_seconds: double precision null in the contract, missing here",
        ),
    ]


def test_contract_marks_optional_tables() -> None:
    assert set(contract.optional_tables()) == {
        "seeder_run_metrics",
        "seeder_circuit_breaker",
        "seeder_run",
        "seeder_queued_refresh",
        "seeder_view_definition",
        "seeder_freshness",
        "seeder_check",
        "seeder_check_result",
        "seeder_check_waiver",
        "seeder_view_state",
        "seeder_skip_decision",
        "seeder_change_sample",
        "seeder_alert",
        "seeder_mute",
        "seeder_notification",
    }
    assert all(
        consequence.endswith(".") and "\n" not in consequence for consequence in contract.optional_tables().values()
    )


@pytest.mark.usefixtures("contract_tables")
def test_role_with_create_privilege_can_add_optional_tables() -> None:
    constraints = sql("SELECT count(*) FROM pg_constraint")
    sql("DROP TABLE reporting.seeder_run_metrics")
    sql("GRANT USAGE, CREATE ON SCHEMA reporting TO pg_signal_backend")
    sql("GRANT REFERENCES ON reporting.seeder_run_history TO pg_signal_backend")
    sql("SET ROLE pg_signal_backend")
    try:
        assert contract_installation.install("default") == ("seeder_run_metrics",)
        assert contract_installation.install("default") == ()
    finally:
        sql("RESET ROLE")
    assert messages() == []
    assert sql("SELECT count(*) FROM pg_constraint") == constraints


@pytest.mark.usefixtures("bare_database")
def test_check_warns_if_the_schema_is_missing() -> None:
    call_command("check", databases=["default"])
    with pytest.raises(SystemCheckError, match="seeder.W003"):
        call_command("check", databases=["default"], fail_level="WARNING")


@pytest.mark.usefixtures("bare_database")
def test_migrate_works_without_the_schema() -> None:
    call_command("migrate", verbosity=0)
    assert sql("SELECT to_regnamespace('reporting')") == [(None,)]


@pytest.mark.usefixtures("contract_tables")
def test_migrate_changes_no_table_of_the_contract() -> None:
    before = sql("SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'reporting'::regnamespace ORDER BY oid")
    call_command("migrate", verbosity=0)
    after = sql("SELECT oid, xmin::text FROM pg_class WHERE relnamespace = 'reporting'::regnamespace ORDER BY oid")
    assert after == before


@pytest.mark.usefixtures("bare_database")
def test_concurrent_installs_create_the_tables_once() -> None:
    barrier = Barrier(4, timeout=20)

    def install() -> int:
        barrier.wait()
        try:
            return len(contract_installation.install("default"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(lambda _: install(), range(4))) == [0, 0, 0, 21]


def test_different_model_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunHistory._meta.get_field("errors"), "null", False)
    monkeypatch.setattr(RunHistory._meta.get_field("run_id"), "column", "run")
    found = check_models()
    assert {message.id for message in found} == {"seeder.E002"}
    table = "The models do not match the contract: reporting.seeder_run_history"
    assert [message.msg for message in found] == [
        f"{table}.run_id: text not null in the contract, missing here.",
        f"{table}.errors: text null in the contract, text not null here.",
        f"{table}.run: text not null in the contract, missing here.",
    ]


def test_invalid_setting_is_reported_by_a_check(settings: Settings) -> None:
    settings.SEEDER = {"MAX_WORKERS": 0}
    assert [message.id for message in check_settings()] == ["seeder.E001"]


def test_check_without_databases_connects_to_none() -> None:
    assert check_database(databases=None) == []
