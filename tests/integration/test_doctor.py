"""What the doctor asks of a server, and how often."""

from pathlib import Path

import pytest

from seeder.domain.doctor.diagnosis import Problem
from seeder.postgres import sessions
from seeder.services.doctor import run_checks
from tests.conftest import another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def views(first: int, last: int) -> None:
    """Views of all kinds: missing, never filled, with a function, with an index and without."""
    for number in range(first, last):
        query = "SELECT reporting.called() AS n" if number % 2 else "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        if number % 3:
            sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query} WITH {'NO ' if number % 4 else ''}DATA")
            sql(f"CREATE UNIQUE INDEX ON reporting.v{number} (n)")


def sent(folder: Path, *, compare: bool) -> int:
    """How many messages with a statement the client library sends."""
    connection = sessions.driver_connection("default").pgconn
    with (folder / "trace").open("w") as trace:
        connection.trace(trace.fileno())
        run_checks.run_checks(compare=compare)
        connection.untrace()
    lines = (folder / "trace").read_text().splitlines()
    return sum((line.split("\t")[1:2] == ["F"] and "\tQuery\t" in line) or "\tParse\t" in line for line in lines)


def test_ten_times_as_many_views_are_asked_for_by_as_many_statements(tmp_path: Path) -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    views(0, 6)
    few = sent(tmp_path, compare=False)
    views(6, 60)
    assert sent(tmp_path, compare=False) == few
    assert 10 < few < 60


def test_where_much_is_locked_the_rest_is_not_waited_for() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    for number in range(101):
        query = "SELECT n FROM reporting.source"
        create_custom_manifest(f"reporting.v{number}", query)
        sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS {query}")
    with another_session() as alter:
        alter.execute("BEGIN; LOCK TABLE reporting.source")
        found = [one for one in run_checks.run_checks().diagnoses if one.problem is Problem.DRIFT_UNKNOWN]
    assert len(found) == 101
    assert sum("50 others were locked" in one.message for one in found) == 51


def test_how_far_the_comparison_has_come_is_told_and_nothing_is_remembered() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    sql("CREATE FUNCTION reporting.called() RETURNS integer LANGUAGE sql AS 'SELECT n FROM reporting.source'")
    views(0, 100)
    told: list[tuple[int, int]] = []
    run_checks.run_checks(on_progress=lambda number, total: told.append((number, total)))
    assert told == [(50, 66), (66, 66)]
    assert sql("SELECT FROM reporting.seeder_view_definition") == []
