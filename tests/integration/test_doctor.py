"""The doctor's statements, its progress, and checks of other apps."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from seeder.postgres import sessions
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, warning_problem
from seeder.services.doctor.run_checks import run_checks
from seeder.texts import Text
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def create_views(first: int, last: int) -> None:
    """Create views: missing, unpopulated, with a function, with and without an index."""
    for number in range(first, last):
        query = "SELECT reporting.called() AS n" if number % 2 else "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        if number % 3:
            sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query} WITH {'NO ' if number % 4 else ''}DATA")
            sql(f"CREATE UNIQUE INDEX ON reporting.v{number} (n)")


def count_statements(folder: Path) -> int:
    """Count the messages with a statement that the client library sends."""
    connection = sessions.driver_connection("default").pgconn
    with (folder / "trace").open("w") as trace:
        connection.trace(trace.fileno())
        run_checks(compare_queries=False)
        connection.untrace()
    lines = (folder / "trace").read_text().splitlines()
    return sum((line.split("\t")[1:2] == ["F"] and "\tQuery\t" in line) or "\tParse\t" in line for line in lines)


def test_number_of_statements_does_not_depend_on_the_views(tmp_path: Path) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    create_views(0, 6)
    few = count_statements(tmp_path)
    create_views(6, 60)
    assert count_statements(tmp_path) == few
    assert 10 < few < 80


@pytest.mark.slow
def test_after_many_locked_views_the_rest_is_not_tried() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    for number in range(101):
        query = "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query}")
    with another_session() as alter:
        alter.execute("BEGIN; LOCK TABLE reporting.source")
        found = [diagnosis for diagnosis in run_checks().diagnoses if diagnosis.problem.name == "drift_unknown"]
    assert len(found) == 101
    assert sum("50 others were locked" in diagnosis.message for diagnosis in found) == 51


def test_comparison_reports_progress_and_stores_nothing() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    create_views(0, 100)
    progress: list[tuple[int, int]] = []
    run_checks(on_progress=lambda number, total: progress.append((number, total)))
    assert progress == [(50, 66), (66, 66)]
    assert sql("SELECT FROM reporting.seeder_view_definition") == []


def test_checks_of_other_apps_run_and_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    other = apps.get_app_config("auth")
    paths = ("another_app.broken_loads.check", "another_app.stuck_loads.check")
    monkeypatch.setattr(other, "doctor_checks", paths, raising=False)
    monkeypatch.setitem(sys.modules, "another_app", _Checks)
    monkeypatch.setitem(sys.modules, "another_app.broken_loads", _BrokenLoads)
    monkeypatch.setitem(sys.modules, "another_app.stuck_loads", _StuckLoads)
    found = {diagnosis.problem.name: diagnosis for diagnosis in run_checks().diagnoses}
    assert (found["load_stuck"].subject, found["load_stuck"].database) == ("load 7", "default")
    failed = found["check_failed"]
    assert (failed.subject, failed.message) == ("broken loads", "division by zero")


_LOAD_STUCK = warning_problem(
    name="load_stuck", area="loads", meaning=Text("A load does not end."), fix=Text("Cancel it.")
)


class _Checks:
    """The package of another app."""


class _BrokenLoads:
    """A module with a check that fails."""

    @staticmethod
    def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
        sql("SELECT 1/0", using=database.alias)
        yield _LOAD_STUCK.found("never")


class _StuckLoads:
    """A module with a check that finds a problem."""

    @staticmethod
    def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
        yield _LOAD_STUCK.found(f"load {7 if database.is_default else 0}")
