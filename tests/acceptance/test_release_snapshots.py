"""Release snapshots: capture and compare two releases, and fail a release on differences."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from seeder.models import ReleaseSnapshot
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.acceptance.test_bad_input import only_line
from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")

Manage = Callable[..., CompletedCommand]
ONE = ("capture_release_snapshot", "--table-name", "reporting.arrests", "--release-tag")


@pytest.fixture
def arrests(contract_tables: None) -> None:
    create_custom_manifest("reporting.arrests", "SELECT 1")
    sql(
        "CREATE MATERIALIZED VIEW reporting.arrests AS SELECT n, 'precinct ' || n %% 3 AS precinct, now() AS at"
        " FROM generate_series(1, %s) AS n",
        1200,
    )


def change_view() -> None:
    sql("DROP MATERIALIZED VIEW reporting.arrests")
    sql(
        "CREATE MATERIALIZED VIEW reporting.arrests AS SELECT n::bigint AS n, 'precinct ' || n %% 2 AS precinct"
        " FROM generate_series(1, %s) AS n",
        500,
    )


@pytest.mark.usefixtures("arrests")
def test_comparison_of_two_releases_fails_on_breaking_changes(manage: Manage) -> None:
    ended = manage(*ONE, "v1", "--top-values-columns", "precinct", "--release-version", "1.0")
    assert ended.exit_code == 0
    assert re.fullmatch(
        r"reporting\.arrests at v1: snapshot 1 of 1,200 rows in 3 columns, schema [0-9a-f]{12}, in \d+\.\d s\n",
        ended.out,
    )
    change_view()
    assert manage(*ONE, "v2", "--top-values-columns", "precinct").exit_code == 0
    ended = manage("compare_release_snapshots", "1", "2")
    assert ended.exit_code == 0
    thirds, halves = ("precinct 0 (400), precinct 1 (400), precinct 2 (400)", "precinct 0 (250), precinct 1 (250)")
    moved = f"at a distance of 0.44: {thirds} → {halves}"
    assert [re.sub(r" {2,}", "  ", line) for line in ended.lines] == [
        "reporting.arrests at v1 (snapshot 1) → reporting.arrests at v2 (snapshot 2)",
        "  breaking  at: column removed (timestamp with time zone)",
        "  breaking  n: type changed integer → bigint",
        "  breaking  rows 1,200 → 500 (-58.3%)  [rows falling by 50% and 100 at least]",
        ended.lines[4].replace("    ", "  "),
        "  notice  n: distinct values 1,200 → 500 (-58.3%)  [distinct falling by 20% and 10 at least]",
        f"  notice  precinct: top values {moved}  [top_values by 10% and 100 at least]",
        "3 breaking, 3 notice, 3 differences of no severity (--everything shows them).",
    ]
    assert "definition changed" in ended.lines[4]
    failed = manage(
        "compare_release_snapshots", "--table-name", "reporting.arrests", "v1", "v2", "--fail-on", "breaking"
    )
    assert (failed.exit_code, failed.lines) == (1, ended.lines)
    assert manage("compare_release_snapshots", "1", "1", "--fail-on", "notice").lines[-1] == "No difference."


@pytest.mark.usefixtures("arrests")
def test_json_of_capture_and_comparison_is_one_document(manage: Manage) -> None:
    first = manage(*ONE, "v1", "--json", "--top-values-columns", "precinct").document
    assert (first["id"], first["tableName"], first["rowCount"], first["exact"]) == (1, "reporting.arrests", 1200, True)
    assert first["columns"][1]["top"] == [{"value": f"precinct {number}", "count": 400} for number in range(3)]
    change_view()
    captured = manage("capture_release_snapshot", "--all", "--release-tag", "v2", "--json").document
    assert [snapshot["id"] for snapshot in captured["captured"]] == [2]
    assert captured["failed"] == []
    compared = manage("compare_release_snapshots", "1", "2", "--json").document
    assert compared["severity"] == "breaking"
    rows = next(finding for finding in compared["findings"] if finding["kind"] == "rows")
    assert rows == {
        "kind": "rows",
        "column": None,
        "base": 1200,
        "compare": 500,
        "absolute": -700.0,
        "relative": pytest.approx(-0.58333, abs=1e-4),
        "severity": "breaking",
        "rule": "rows falling by 50% and 100 at least",
        "exact": True,
    }


@pytest.mark.usefixtures("arrests")
def test_capture_of_an_agency_reports_its_missing_view(manage: Manage) -> None:
    create_custom_manifest("reporting.missing", "SELECT 1")
    ended = manage("capture_release_snapshot", "--agency", "demo", "--release-tag", "v1", "--approximate")
    assert ended.exit_code == 1
    assert "reporting.arrests at v1: snapshot 1 of about 1,200 rows in 3 columns" in ended.out
    assert "reporting.missing: not captured. reporting.missing does not exist in the database 'default'." in ended.out
    assert ended.lines[2].startswith("1 captured, 1 failed in ")


@pytest.mark.usefixtures("arrests")
def test_capture_on_terminal_draws_progress_and_result() -> None:
    code, drawn = run_on_terminal(*ONE, "v1")
    assert code == 0
    assert re.search(r"\d of 3 columns", plain_text(drawn))
    code, drawn = run_on_terminal("capture_release_snapshot", "--all", "--release-tag", "v2")
    assert code == 0
    assert "reporting.arrests at v2: snapshot 2 of 1,200 rows" in plain_text(drawn)
    assert "1 captured, 0 failed in" in plain_text(drawn)


@pytest.mark.usefixtures("arrests")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ONE, ""), "'' is not a release tag"),
        ((*ONE, "a\nb"), "is not a release tag"),
        ((*ONE, "v1", "--release-version", " "), "is not a release version"),
        ((*ONE[:3], "--release-tag"), "--release-tag"),
        (("capture_release_snapshot", "--release-tag", "v1"), "one of the arguments --table-name --agency --all"),
        (("capture_release_snapshot", "--agency", "demp", "--release-tag", "v1"), "nearest one is 'demo'"),
        (("capture_release_snapshot", "--table-name", "a.b.c", "--release-tag", "v1"), "it has 3 parts"),
        (("capture_release_snapshot", "--table-name", "arrest", "--release-tag", "v1"), "'reporting.arrests'"),
        ((*ONE, "v1", "--top-values-columns", "precinct,precinkt"), "The nearest one is 'precinct'"),
        (("compare_release_snapshots", "1", "2"), "There is no release snapshot with the id 1."),
        (("compare_release_snapshots", "v1", "v2"), "With --table-name, tags can be compared"),
        (("compare_release_snapshots", "--table-name", "reporting.arrests", "v1", "v2"), "reporting.arrests at 'v1'"),
        (("compare_release_snapshots", "1"), "COMPARE"),
        (("compare_release_snapshots", "1" * 5000, "2"), "There is no release snapshot with the id"),
        (
            ("capture_release_snapshot", "--all", "--release-tag", "v1", "--top-values-columns", "precinkt"),
            "No view of any report has a column 'precinkt'. The nearest one is 'precinct'.",
        ),
    ],
)
def test_invalid_argument_prints_one_line_and_stores_nothing(
    manage: Manage, arguments: tuple[str, ...], message: str
) -> None:
    assert message in only_line(manage(*arguments))
    assert not ReleaseSnapshot.objects.exists()


@pytest.mark.usefixtures("arrests")
def test_missing_table_prints_one_line_for_many_views(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_release_snapshot")
    for number in range(5):
        create_custom_manifest(f"reporting.view_{number}", "SELECT 1")
    line = only_line(manage("capture_release_snapshot", "--all", "--release-tag", "v1"))
    assert "seeder_release_snapshot" in line
    assert "manage.py install_schema" in line


@pytest.mark.slow
def test_signal_cancels_capture_and_stores_nothing() -> None:
    create_custom_manifest("reporting.large", "SELECT 1")
    sql(
        "CREATE MATERIALIZED VIEW reporting.large AS SELECT md5(n::text) AS a, md5((-n)::text) AS b, n AS c"
        " FROM generate_series(1, 700000) AS n"
    )
    capture = ("capture_release_snapshot", "--table-name", "reporting.large", "--release-tag", "v1")
    busy = "SELECT pid FROM pg_stat_activity WHERE application_name = 'seeder snapshot v1' AND state = 'active'"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = subprocess.Popen(
            # SIGINT is ignored at the start, as in a background job of a shell.
            ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "manage.py", *capture],
            cwd=CHECKOUT,
            env=process_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            eventually(lambda: sql(busy + " AND query LIKE '%%count(*)%%'") or process.poll() is not None)  # noqa: B023
            assert process.poll() is None
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        assert process.returncode == code
        assert (
            err.splitlines()[-1]
            == "CommandError: Interrupted. What was committed remains. Run the command again to continue."
        )
        eventually(lambda: not sql(busy))
    assert not ReleaseSnapshot.objects.exists()
