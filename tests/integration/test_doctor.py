"""The number of queries and the progress of the doctor."""

from pathlib import Path

import pytest

from seeder.domain.doctor.diagnosis import Problem
from seeder.postgres import sessions
from seeder.services.doctor import run_checks
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def create_views(first: int, last: int) -> None:
    """Create views of all kinds: missing, unpopulated, with a function, with and without an index."""
    for number in range(first, last):
        query = "SELECT reporting.called() AS n" if number % 2 else "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        if number % 3:
            sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query} WITH {'NO ' if number % 4 else ''}DATA")
            sql(f"CREATE UNIQUE INDEX ON reporting.v{number} (n)")


def statement_count(folder: Path, *, compare: bool) -> int:
    """Return the number of statements that libpq sends."""
    connection = sessions.driver_connection("default").pgconn
    with (folder / "trace").open("w") as trace:
        connection.trace(trace.fileno())
        run_checks.run_checks(compare=compare)
        connection.untrace()
    lines = (folder / "trace").read_text().splitlines()
    return sum((line.split("\t")[1:2] == ["F"] and "\tQuery\t" in line) or "\tParse\t" in line for line in lines)


def test_statement_count_does_not_grow_with_the_views(tmp_path: Path) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    create_views(0, 6)
    count_of_six = statement_count(tmp_path, compare=False)
    create_views(6, 60)
    assert statement_count(tmp_path, compare=False) == count_of_six
    assert 10 < count_of_six < 60


def test_many_locked_views_are_not_waited_for() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    for number in range(101):
        query = "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query}")
    with another_session() as other_session:
        other_session.execute("BEGIN; LOCK TABLE reporting.source")
        diagnoses = [
            diagnosis for diagnosis in run_checks.run_checks().diagnoses if diagnosis.problem is Problem.DRIFT_UNKNOWN
        ]
    assert len(diagnoses) == 101
    assert sum("50 others were locked" in diagnosis.message for diagnosis in diagnoses) == 51


def test_progress_is_reported_and_nothing_is_cached() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    create_views(0, 100)
    progress: list[tuple[int, int]] = []
    run_checks.run_checks(on_progress=lambda number, total: progress.append((number, total)))
    assert progress == [(50, 66), (66, 66)]
    assert sql("SELECT FROM reporting.seeder_view_definition") == []
