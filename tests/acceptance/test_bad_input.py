"""Invalid arguments and settings print one line; an invalid manifest fails one view."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.models import JobStatus, RunHistory
from tests.conftest import CompletedCommand, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]


def only_line(ended: CompletedCommand, code: int = 2) -> str:
    """Return the only line that a rejected command printed."""
    assert ended.exit_code == code
    assert ended.out == ""
    [line] = ended.err.splitlines()
    return line


@pytest.mark.usefixtures("contract_tables")
def test_unknown_agency_is_printed_with_the_nearest_known_one(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1", agency="harbor")
    line = only_line(manage("refresh_agency", "habor"))
    assert line.endswith("No manifest names the agency 'habor'. The nearest one is 'harbor'.")


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (("refresh_agency", "nosuch"), "unknown_agency", "No manifest names the agency 'nosuch'."),
        (("refresh_table", "a.b.c"), "bad_name", "'a.b.c' is not a view's name: it has 3 parts, but a view has"),
        (("refresh_agency",), "bad_arguments", "the following arguments are required: SLUG. See manage.py"),
        (("refresh_table", "a", os.fsdecode(b"--\xff")), "bad_arguments", "unrecognized arguments: --\udcff. See"),
    ],
)
def test_invalid_request_is_a_json_document(manage: Manage, arguments: tuple[str, ...], code: str, detail: str) -> None:
    ended = manage(*arguments, "--json")
    assert (ended.exit_code, ended.err, ended.document["code"]) == (2, "", code)
    assert ended.document["detail"].startswith(detail)
    in_a_line = manage(*arguments, "--json-lines")
    assert json.loads(*in_a_line.lines) == {"event": "error", **ended.document}


@pytest.mark.usefixtures("contract_tables")
def test_unknown_table_is_printed_with_the_nearest_known_one(manage: Manage) -> None:
    create_custom_manifest("B_Count", "SELECT 1", enabled=False)
    create_custom_manifest("reporting.c_sum", "SELECT 1")
    line = only_line(manage("refresh_table", "reporting.b_cound"))
    assert line.endswith("No manifest names the table 'reporting.b_cound'. The nearest one is 'reporting.b_count'.")


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("refresh_agency", "nosuch"), "No manifest names the agency 'nosuch'."),
        (("refresh_table", "nosuch"), "No manifest names the table 'reporting.nosuch'."),
        (("refresh_status", "--agency", "nosuch"), "No manifest names the agency 'nosuch'."),
        (("capture_release_snapshot", "--table-name", "nosuch", "--release-tag", "1"), "'reporting.nosuch'."),
    ],
)
def test_unknown_name_without_a_similar_one_has_no_suggestion(
    manage: Manage, arguments: tuple[str, ...], message: str
) -> None:
    create_custom_manifest("reporting.gotham", "SELECT 1", agency="metro")
    sql("UPDATE reporting.seeder_custom_report_manifest SET agency_slug = 'gotham'")
    assert only_line(manage(*arguments)).endswith(message)


@pytest.mark.usefixtures("contract_tables")
def test_argument_that_is_not_unicode_prints_one_line(manage: Manage) -> None:
    for command in ("refresh_agency", "refresh_table"):
        assert r"'a\udcff'" in only_line(manage(command, os.fsdecode(b"a\xff")))


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["refresh_table", "a.b.c"], "'a.b.c' is not a view's name: it has 3 parts"),
        (["refresh_table", "x" * 64], "64 bytes long, PostgreSQL keeps 63"),
        (["refresh_table", ""], "'' is not a view's name"),
        (["refresh_table"], "SCHEMA.TABLE"),
        (["refresh_agency"], "SLUG"),
        (["refresh_agency", "demo", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["refresh_all", "--report-type", "tinned"], "invalid choice: 'tinned'"),
        (["refresh_all", "--dry-run", "--queue"], "not allowed with"),
    ],
)
def test_invalid_argument_prints_one_line(manage: Manage, arguments: list[str], message: str) -> None:
    assert message in only_line(manage(*arguments))


def test_invalid_setting_is_reported_before_any_connection(manage: Manage) -> None:
    line = only_line(manage("refresh_all", SEEDER_MAX_WORKERS="lots", DB_PORT="1"))
    assert line.endswith("SEEDER_MAX_WORKERS is 'lots', but must be a whole number of at least 1.")


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize("value", ["\uff14", "+4", "1_0", " 4"])
def test_number_must_have_plain_digits(manage: Manage, value: str) -> None:
    line = only_line(manage("refresh_all", SEEDER_MAX_WORKERS=value))
    assert line.endswith(f"SEEDER_MAX_WORKERS is {value!r}, but must be a whole number of at least 1.")
    for arguments in (
        ("refresh_status", "--limit", value),
        ("prune_history", "--days", value),
        ("prune_history", "--batch", value),
        ("watch_queue", "--grace", value),
    ):
        assert f"must be a whole number in plain digits, not {value!r}" in only_line(manage(*arguments))


@pytest.mark.usefixtures("contract_tables")
def test_misspelt_variable_is_warned_of_and_the_command_runs(manage: Manage) -> None:
    warning = "SEEDER_MAX_WORKER is no setting and has no effect. The nearest one is 'SEEDER_MAX_WORKERS'."
    for arguments in (("refresh_all",), ("refresh_status", "--json"), ("prune_history",)):
        ended = manage(*arguments, SEEDER_MAX_WORKER="2")
        assert (ended.exit_code, ended.err) == (0, f"Warning: {warning}\n")
    checked = manage("check", SEEDER_MAX_WORKER="2")
    assert checked.exit_code == 0
    assert f"(seeder.W018) {warning}" in checked.err


def test_interrupted_start_prints_one_line(manage: Manage, tmp_path: Path) -> None:
    handle = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # a process in the background ignores it
    lines = ["import signal", handle, "signal.raise_signal(signal.SIGINT)", "from settings.test import *"]
    (tmp_path / "stopped.py").write_text("\n".join(lines))
    ended = manage("refresh_all", DJANGO_SETTINGS_MODULE="stopped", PYTHONPATH=str(tmp_path))
    assert only_line(ended, 130) == "Interrupted."


def test_unreachable_server_prints_one_line_with_advice(manage: Manage) -> None:
    for command in (["refresh_all"], ["refresh_agency", "demo", "--dry-run"], ["install_schema"]):
        line = only_line(manage(*command, DB_HOST="127.0.0.1", DB_PORT="1", DB_PASSWORD="secret"))
        assert "127.0.0.1:1" in line
        assert "Check that it is running and accepts the connection, and that DATABASES['default'] is right" in line
        assert "secret" not in line


def test_missing_schema_prints_one_line_with_advice(manage: Manage) -> None:
    line = only_line(manage("refresh_all"))
    assert 'relation "reporting.seeder_custom_report_manifest" does not exist' in line
    assert "Create missing tables with `manage.py install_schema`" in line
    assert manage("install_schema").exit_code == 0
    assert manage("refresh_all").exit_code == 0


@pytest.mark.usefixtures("contract_tables")
def test_missing_column_prints_one_line_with_the_check_command(manage: Manage) -> None:
    sql("ALTER TABLE reporting.seeder_custom_report_manifest DROP COLUMN enabled")
    line = only_line(manage("refresh_all"))
    assert "enabled does not exist" in line
    assert "manage.py check --database default" in line


def test_missing_privilege_prints_one_line(manage: Manage) -> None:
    assert manage("install_schema").exit_code == 0
    sql("DROP ROLE IF EXISTS seeder_stranger")
    sql("CREATE ROLE seeder_stranger LOGIN PASSWORD 'x'")
    try:
        line = only_line(manage("refresh_all", PGOPTIONS="-c role=seeder_stranger"))
        # All tables exist, so install_schema needs no privilege.
        assert manage("install_schema", PGOPTIONS="-c role=seeder_stranger").exit_code == 0
    finally:
        sql("DROP ROLE seeder_stranger")
    assert "permission denied for schema reporting" in line


GOOD = {
    "reporting.semicolon": "SELECT 1 AS n;",
    "reporting.comment": "SELECT 1 AS n -- that is all",
    "reporting.block_comment": "SELECT 1 AS n /* ; */ ; -- done;",
    "reporting.percent": "SELECT '100 %' AS p, '%s %(x)s %%' AS q",
    "reporting.braces": "SELECT '{} {0} {x}' AS b",
    '"Gotham PD"."Use of Force"': "SELECT 1 AS n",
    "reporting.values": "VALUES (1), (2)",
    "reporting.no_data": "SELECT 1 AS n WITH NO DATA",
    "reporting.with": "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
}
BAD = {
    "reporting.syntax": ("SELEC 1", 'syntax error at or near "SELEC"'),
    "reporting.no_source": ("SELECT 1 FROM reporting.nowhere", 'relation "reporting.nowhere" does not exist'),
    "reporting.zero": ("SELECT 1 / 0 AS n", "division by zero"),
    "reporting.two": ("SELECT 1 AS n; CREATE TABLE reporting.pwned ()", "cannot insert multiple commands"),
    "reporting.closing": ("SELECT 1 AS n); CREATE TABLE reporting.pwned (n int", "syntax error"),
    "reporting.empty": ("", "syntax error at end of input"),
    "reporting.blank": (" \n ", "syntax error at end of input"),
    "reporting.deletes": ("DELETE FROM reporting.a_table", "syntax error"),
    "reporting.a_table": ("SELECT 1 AS n", '"a_table" is not a materialized view'),
    "reporting.a_view": ("SELECT 1 AS n", '"a_view" is not a'),
    "nowhere.at_all": ("SELECT 1 AS n", 'schema "nowhere" does not exist'),
    "x" * 64: ("SELECT 1 AS n", "64 bytes long, PostgreSQL keeps 63"),
    "a.b.c": ("SELECT 1 AS n", "it has 3 parts"),
    "pg_temp.gone_at_once": ("SELECT 1 AS n", "begin with pg_"),
    "reporting.": ("SELECT 1 AS n", "is not a view's name"),
}


@pytest.mark.usefixtures("contract_tables")
def test_invalid_manifest_fails_with_the_server_message_alone(manage: Manage) -> None:
    sql('CREATE SCHEMA "Gotham PD"')
    sql("CREATE TABLE reporting.a_table (n integer)")
    sql("INSERT INTO reporting.a_table VALUES (7)")
    sql("CREATE VIEW reporting.a_view AS SELECT 7 AS n")
    sql(f"CREATE MATERIALIZED VIEW reporting.{'x' * 63} AS SELECT 7 AS n")
    for table_name, query in GOOD.items():
        create_custom_manifest(table_name, query)
    for table_name, (query, _) in BAD.items():
        create_custom_manifest(table_name, query)
    for attempt in range(2):
        ended = manage("refresh_agency", "demo")
        assert ended.exit_code == 1
        assert ended.err == ""
        assert f": {len(GOOD)} succeeded, {len(BAD)} failed in " in ended.lines[-2]
        rows = {row.table_name: row for row in RunHistory.objects.order_by("id")}
        for table_name in GOOD:
            assert (table_name, rows[table_name].status, rows[table_name].errors) == (table_name, "success", None)
        for table_name, (_, message) in BAD.items():
            assert (table_name, rows[table_name].status) == (table_name, "error")
            assert message in (rows[table_name].errors or "")
            assert message in (JobStatus.objects.get(table_name=table_name).last_errors or "")
            assert JobStatus.objects.get(table_name=table_name).consecutive_failures == attempt + 1
    assert sql("SELECT to_regclass('reporting.pwned')") == [(None,)]
    assert sql("SELECT n FROM reporting.a_table") == [(7,)], "a table of that name is unchanged"
    assert sql(f"SELECT n FROM reporting.{'x' * 63}") == [(7,)], "a name that is too long never selects another view"
    assert sql("SELECT n FROM reporting.no_data") == [(1,)]
    assert sql("SELECT p, q FROM reporting.percent") == [("100 %", "%s %(x)s %%")]
    assert sql("SELECT b FROM reporting.braces") == [("{} {0} {x}",)]
