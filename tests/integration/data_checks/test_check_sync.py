"""Data checks from a YAML file: added, changed, removed, and those of other sources left alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.data_check_errors import BadCheck, BadCheckFile, CheckTableUnusable
from seeder.errors import ConfigurationError
from seeder.models import DataCheck
from seeder.services.data_checks import check_sync
from seeder.services.data_checks.yaml_files import load_yaml
from tests.conftest import CompletedCommand, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")

FILE = """
Reporting.A:
  rows: {kind: row_count, min: 10, max_drop: 0.2}
  statuses: {kind: accepted_values, column: status, values: [open, NO, 2026-01-01], severity: warn, tolerated_rows: 3}
  recent:
    kind: range
    column: at
    min: 2020-01-01
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "checks.yaml"
    path.write_text(FILE)
    return path


def stored() -> dict[str, tuple[str, object, str, str | None]]:
    return {
        row.check_name: (row.table_name, row.arguments, row.severity, row.source) for row in DataCheck.objects.all()
    }


def test_checks_of_a_file_are_added_and_run(file: Path) -> None:
    create_view()
    result = check_sync.sync_checks(file)
    assert [one.name for one in result.changes.added] == ["recent", "rows", "statuses"]
    assert stored() == {
        "rows": ("reporting.a", {"min": 10, "max_drop": 0.2}, "error", "checks.yaml"),
        "statuses": (
            "reporting.a",
            {"column": "status", "values": ["open", "NO", "2026-01-01"]},
            "warn",
            "checks.yaml",
        ),
        "recent": ("reporting.a", {"column": "at", "min": "2020-01-01"}, "error", "checks.yaml"),
    }
    assert [str(one.outcome) for one in refresh()["a"].checks] == ["passed", "passed", "failed"]


def test_repeated_synchronisation_changes_nothing(file: Path) -> None:
    check_sync.sync_checks(file)
    before = list(DataCheck.objects.order_by("pk").values())
    changes = check_sync.sync_checks(file).changes
    assert (changes.added, changes.changed, changes.removed, changes.unchanged) == ([], [], [], 3)
    assert list(DataCheck.objects.order_by("pk").values()) == before


def test_changed_and_removed_checks_follow_the_file(file: Path) -> None:
    check_sync.sync_checks(file)
    ids = dict(DataCheck.objects.values_list("check_name", "pk"))
    file.write_text("reporting.a:\n  rows: {kind: row_count, min: 11, max_drop: 0.2, enabled: false}\n")
    changes = check_sync.sync_checks(file).changes
    assert [one.fields for one in changes.changed] == [("arguments", "enabled")]
    assert [one.name for one in changes.removed] == ["recent", "statuses"]
    row = DataCheck.objects.get()
    assert (row.pk, row.arguments["min"], row.enabled) == (ids["rows"], 11, False)


def test_checks_of_other_sources_and_databases_stay(file: Path) -> None:
    add_check("row_count", name="of_admin", arguments={"min": 1})
    add_check("row_count", name="rows", arguments={"min": 1}, database_alias="other")
    add_check("row_count", name="rows", arguments={"min": 1})
    result = check_sync.sync_checks(file)
    assert [one.name for one in result.taken_over] == ["rows"]
    assert DataCheck.objects.get(check_name="rows", database_alias="default").source == "checks.yaml"
    file.write_text("{}")
    check_sync.sync_checks(file)
    assert sorted(DataCheck.objects.values_list("check_name", "database_alias")) == [
        ("of_admin", "default"),
        ("rows", "other"),
    ]


def test_dry_run_changes_nothing(file: Path, manage: Callable[..., CompletedCommand]) -> None:
    planned = manage("sync_checks", str(file), "--dry-run")
    assert planned.lines == [
        "would be added: reporting.a recent (range, error)",
        "would be added: reporting.a rows (row_count, error)",
        "would be added: reporting.a statuses (accepted_values, warn)",
        "no manifest names reporting.a, so its checks never run",
        "3 would be added, 0 would be changed, 0 would be removed, 0 unchanged",
    ]
    assert not DataCheck.objects.exists()
    assert manage("sync_checks", str(file)).lines[-1] == "3 added, 0 changed, 0 removed, 0 unchanged"
    document = manage("sync_checks", str(file), "--json").document
    assert (document["unchanged"], document["unknownViews"]) == (3, ["reporting.a"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "it must be a map of views to their checks"),
        ("reporting.a: [1]", "reporting.a must have a map of names to checks"),
        ("a.b.c: {}", "'a.b.c' is not a view's name"),
        ("reporting.a: {x: 1}", "The data check x of reporting.a is invalid: it must be a map with its kind"),
        ("reporting.a: {x: {}}", "the kind '' is unknown"),
        ("reporting.a: {x: {kind: [range]}}", "the kind ['range'] is unknown"),
        ("reporting.a: {x: {kind: range, column: a}}", "range needs min or max"),
        ("reporting.a: {x: {kind: query, query: SELECT 1, severity: fatal}}", "severity must be error or warn"),
        ("reporting.a: {x: {kind: query, query: SELECT 1, tolerated_rows: -1}}", "tolerated_rows must be a whole num"),
        ("reporting.a: {x: {kind: query, query: SELECT 1, tolerated_share: 2}}", "tolerated_share must be a number"),
        (
            "reporting.a: {x: {kind: drift, tolerated_share: 0.1}}",
            "drift counts no bad rows, so it cannot tolerate any",
        ),
        ("reporting.a: {x: {kind: query, query: SELECT 1, enabled: maybe}}", "enabled must be true or false"),
        ("reporting.a: {x: {kind: not_null, column: a}, x: {kind: not_null, column: b}}", "'x' is given twice"),
        (
            "a: {x: {kind: not_null, column: a}}\nA: {x: {kind: not_null, column: a}}",
            "reporting.a has the check x twice",
        ),
        ("reporting.a: {", "while parsing a flow"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_bad_file_changes_nothing_and_names_the_problem(file: Path, text: str, problem: str) -> None:
    check_sync.sync_checks(file)
    file.write_text(text)
    with pytest.raises((BadCheckFile, BadCheck)) as raised:
        check_sync.sync_checks(file)
    assert problem in str(raised.value)
    assert DataCheck.objects.count() == 3


def test_missing_file_table_and_database_are_errors(file: Path) -> None:
    with pytest.raises(BadCheckFile, match="No such file"):
        check_sync.sync_checks(file.with_name("nope"))
    with pytest.raises(ConfigurationError, match="an alias in DATABASES"):
        check_sync.sync_checks(file, database="nope")
    sql("DROP TABLE reporting.seeder_check")
    with pytest.raises(CheckTableUnusable, match="Without it views are published without data checks"):
        check_sync.sync_checks(file)


def test_only_true_and_false_are_booleans() -> None:
    assert load_yaml("[yes, NO, on, Off, true, False]") == ["yes", "NO", "on", "Off", True, False]
