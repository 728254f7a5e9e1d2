"""What a program is told that asks whether we live, and whether views can be refreshed."""

import secrets
import socket
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.error import URLError

import pytest
from django.db import connections
from django.test import Client
from django_q.models import Schedule
from pytest_django import Settings

from seeder.models import CircuitBreaker, QueuedRefresh
from seeder.services.read_models import health_check
from tests.acceptance import api_clients
from tests.acceptance.web_process import default_database_with, fetch, web_process
from tests.conftest import sql
from tests.faults.private_server import default_database
from tests.server_proxy import proxy_to_server

ALIVE, READY = "/api/seeder/health/alive", "/api/seeder/health/ready"
WELL = {
    "settings": "ok",
    "database": "ok",
    "tables": "ok",
    "privileges": "ok",
    "queue": "ok",
    "workers": "idle",
    "breaker": "closed",
    "other_databases": "absent",
}
# Whoever asks waits no longer than that for an answer; what a busy machine needs beside it is not ours.
PATIENCE = health_check.TIMEOUT.total_seconds() + 2


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each asks so long after the one before that its answer holds no more."""
    monkeypatch.setattr(health_check, "CACHE_DURATION", timedelta())


def asked(path: str = READY) -> tuple[int, Any]:
    answer = Client().get(path)
    return answer.status_code, answer.json()


@pytest.mark.usefixtures("empty_queue")
def test_where_everything_is_well_it_is_ready() -> None:
    assert asked() == (200, {"status": "ready", "checks": WELL})
    assert asked(ALIVE) == (200, {"status": "alive"})


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("path", [ALIVE, READY])
def test_it_is_only_read_and_never_kept(path: str) -> None:
    head = Client().head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert "no-store" in head["Cache-Control"]
    refused = Client().post(path)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


@pytest.mark.usefixtures("bare_database")
def test_without_the_tables_it_is_not_ready() -> None:
    code, told = asked()
    assert (code, told["status"]) == (503, "not ready")
    assert (told["checks"]["database"], told["checks"]["tables"]) == ("ok", "missing")


@pytest.mark.usefixtures("empty_queue")
def test_an_optional_table_may_be_missing() -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker, reporting.seeder_run_metrics")
    assert asked() == (200, {"status": "ready", "checks": {**WELL, "breaker": "unknown"}})


@pytest.mark.usefixtures("empty_queue")
def test_a_queue_that_does_not_work_makes_it_not_ready_and_one_that_is_not_there_does_not() -> None:
    Schedule.objects.create(name="broken", func="f", args="(")
    code, told = asked()
    assert (code, told["checks"]["queue"]) == (503, "unusable")
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert asked() == (200, {"status": "ready", "checks": {**WELL, "queue": "absent", "workers": "absent"}})


@pytest.mark.usefixtures("empty_queue")
def test_an_open_breaker_is_told_and_turns_nobody_away() -> None:
    sql("INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures) VALUES ('archive', 4)")
    assert asked()[1]["checks"]["breaker"] == "closed"
    CircuitBreaker.objects.update(failures=5, opened_at="2026-01-01T00:00Z")
    assert asked() == (200, {"status": "degraded", "checks": {**WELL, "breaker": "open"}})


@pytest.mark.usefixtures("empty_queue")
def test_workers_that_leave_lying_what_is_queued_are_noticed() -> None:
    sql(
        "INSERT INTO reporting.seeder_queued_refresh"
        " (request_id, part, parts, description, requested_by, manifests, views, agencies)"
        " VALUES ('r', 1, 1, 'every report', 'a test', '[]', '[]', '[]')"
    )
    assert asked()[1]["checks"]["workers"] == "idle"
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '6 minutes'")
    assert asked() == (200, {"status": "degraded", "checks": {**WELL, "workers": "stalled"}})
    # One that was taken up by a worker that was killed since has been left lying too; one whose run lives has not.
    QueuedRefresh.objects.update(state="running", run_ids=["gone", "this"])
    assert asked()[1]["checks"]["workers"] == "stalled"
    sql("SELECT pg_advisory_lock(hashtextextended('seeder.run this', 0))")
    assert asked() == (200, {"status": "ready", "checks": {**WELL, "workers": "working"}})


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize(
    "lost",
    [
        "INSERT ON reporting.seeder_run_history, reporting.seeder_queued_refresh",
        "SELECT ON reporting.seeder_canned_report",
        "USAGE ON SEQUENCE reporting.seeder_run_history_id_seq, reporting.seeder_queued_refresh_id_seq",
        "USAGE ON SCHEMA reporting",
    ],
)
def test_without_a_privilege_it_is_not_ready(lost: str) -> None:
    role = "seeder_probe"
    if not sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        sql(f"CREATE ROLE {role}")
    sql(f"GRANT USAGE ON SCHEMA reporting TO {role}")
    sql(f"GRANT ALL ON ALL TABLES IN SCHEMA reporting, public TO {role}")
    sql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting TO {role}")
    with default_database_with(OPTIONS={"options": f"-c role={role}"}):
        assert asked() == (200, {"status": "ready", "checks": WELL})
    sql(f"REVOKE {lost} FROM {role}")
    with default_database_with(OPTIONS={"options": f"-c role={role}"}):
        code, told = asked()
    assert (code, told["checks"]["database"], told["checks"]["privileges"]) == (503, "ok", "missing")


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("given", [{"MAX_WORKERS": 0}, {"LOCK_TIMEOUT_MS": 1}])
def test_with_settings_with_which_no_run_begins_it_is_not_ready(given: dict[str, int], settings: Settings) -> None:
    settings.SEEDER = given
    code, told = asked()
    assert (code, told["checks"]["settings"]) == (503, "invalid")


@pytest.mark.usefixtures("empty_queue")
def test_another_database_that_is_away_makes_it_no_worse_than_degraded(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    assert asked() == (200, {"status": "ready", "checks": {**WELL, "other_databases": "ok"}})
    before = connections.settings["archive"]
    connections.settings["archive"] = {**before, "ENGINE": "django.db.backends.postgresql", "HOST": "/nowhere"}
    try:
        assert asked() == (200, {"status": "degraded", "checks": {**WELL, "other_databases": "unreachable"}})
    finally:
        connections.settings["archive"] = before


@pytest.mark.usefixtures("empty_queue")
def test_a_server_without_its_database_lives_and_is_not_ready() -> None:
    with web_process(DB_HOST="/nowhere") as address:
        assert fetch(address + ALIVE) == (200, b'{"status": "alive"}')
        code, told = fetch(address + READY)
    assert code == 503
    assert b'"database": "unreachable"' in told
    assert b"nowhere" not in told


@pytest.mark.usefixtures("empty_queue")
def test_a_server_that_takes_the_connection_and_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        with default_database_with(HOST=host, PORT=str(port)):
            begun = monotonic()
            code, told = asked()
    assert (code, told["checks"]["database"]) == (503, "unreachable")
    assert monotonic() - begun < PATIENCE


@pytest.mark.usefixtures("empty_queue")
def test_a_server_that_says_nothing_more_is_not_waited_for_and_asked_again() -> None:
    """As one that was stopped, or a proxy whose other end has gone: nothing tells that it will never answer."""
    silent = True
    greeted: list[bytes] = []

    def answer(data: bytes) -> bytes:
        if silent and greeted:
            return b""
        greeted.append(data) if b"Z\0\0\0\5I" in data else None
        return data

    with proxy_to_server(transform=answer) as (host, port), default_database_with(HOST=host, PORT=str(port)):
        begun = monotonic()
        code, told = asked()
        assert (code, told["checks"]["database"]) == (503, "unreachable")
        assert monotonic() - begun < PATIENCE
        silent = False
        assert asked() == (200, {"status": "ready", "checks": WELL})


@pytest.mark.usefixtures("empty_queue")
def test_nothing_is_asked_of_a_database_in_the_host_s_own_way(settings: Settings) -> None:
    """A transaction around each request, as a host may want it, would wait for the very server that is asked about."""
    with default_database_with(HOST="/nowhere", ATOMIC_REQUESTS=True):
        assert asked(ALIVE) == (200, {"status": "alive"})
        assert asked()[0] == 503
    with default_database({"HOST": "/nowhere", "ATOMIC_REQUESTS": True}, alias="archive"):
        assert asked(ALIVE) == (200, {"status": "alive"})


@pytest.mark.usefixtures("empty_queue")
def test_it_costs_the_server_a_few_statements() -> None:
    asked()
    assert api_clients.count_statements(asked) <= 25


@pytest.mark.usefixtures("empty_queue")
def test_who_asks_again_at_once_costs_the_server_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    monkeypatch.setattr(health_check, "CACHE_DURATION", timedelta(hours=1))
    assert api_clients.count_statements(asked) == 0


@pytest.mark.usefixtures("empty_queue")
def test_what_stands_beside_a_production_server_asks_without_tls() -> None:
    """By the name that the server goes by; and for nothing else, neither the pages nor the API."""
    names = {"DJANGO_SETTINGS_MODULE": "settings.production", "DJANGO_ALLOWED_HOSTS": "127.0.0.1"}
    with web_process(**names, DJANGO_SECRET_KEY=secrets.token_urlsafe(50)) as address:
        assert fetch(address + ALIVE)[0] == 200
        assert fetch(address + READY)[0] == 200
        with pytest.raises(URLError, match="WRONG_VERSION_NUMBER"):  # sent on to https://, which nobody speaks here
            fetch(address + "/api/seeder/v1/jobs/")


@pytest.mark.usefixtures("empty_queue")
def test_the_probes_may_be_mounted_alone(settings: Settings) -> None:
    settings.ROOT_URLCONF = "seeder.probes.urls"
    assert asked("/health/alive") == (200, {"status": "alive"})
    assert asked("/health/ready")[0] == 200
