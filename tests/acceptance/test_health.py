"""The liveness and readiness endpoints."""

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
HEALTHY = {
    "settings": "ok",
    "database": "ok",
    "tables": "ok",
    "privileges": "ok",
    "queue": "ok",
    "workers": "idle",
    "breaker": "closed",
    "freshness": "absent",
    "other_databases": "absent",
}
# The time limit of the check, and some more for a busy machine.
MAX_ANSWER_SECONDS = health_check.TIMEOUT.total_seconds() + 2


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never answer with the result of an earlier test."""
    monkeypatch.setattr(health_check, "CACHE_DURATION", timedelta())


def get_json(path: str = READY) -> tuple[int, Any]:
    answer = Client().get(path)
    return answer.status_code, answer.json()


@pytest.mark.usefixtures("empty_queue")
def test_healthy_system_is_ready() -> None:
    assert get_json() == (200, {"status": "ready", "checks": HEALTHY})
    assert get_json(ALIVE) == (200, {"status": "alive"})


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("path", [ALIVE, READY])
def test_probe_allows_only_reads_and_is_not_cached(path: str) -> None:
    head = Client().head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert "no-store" in head["Cache-Control"]
    refused = Client().post(path)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


@pytest.mark.usefixtures("bare_database")
def test_missing_tables_make_it_not_ready() -> None:
    code, body = get_json()
    assert (code, body["status"]) == (503, "not ready")
    assert (body["checks"]["database"], body["checks"]["tables"]) == ("ok", "missing")


@pytest.mark.usefixtures("empty_queue")
def test_missing_optional_table_keeps_it_ready() -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker, reporting.seeder_run_metrics")
    assert get_json() == (200, {"status": "ready", "checks": {**HEALTHY, "breaker": "unknown"}})


@pytest.mark.usefixtures("empty_queue")
def test_broken_queue_is_not_ready_and_missing_queue_is() -> None:
    Schedule.objects.create(name="broken", func="f", args="(")
    code, body = get_json()
    assert (code, body["checks"]["queue"]) == (503, "unusable")
    sql("DROP TABLE reporting.seeder_queued_refresh")
    assert get_json() == (200, {"status": "ready", "checks": {**HEALTHY, "queue": "absent", "workers": "absent"}})


@pytest.mark.usefixtures("empty_queue")
def test_open_breaker_makes_it_degraded() -> None:
    sql("INSERT INTO reporting.seeder_circuit_breaker (database_alias, failures) VALUES ('archive', 4)")
    assert get_json()[1]["checks"]["breaker"] == "closed"
    CircuitBreaker.objects.update(failures=5, opened_at="2026-01-01T00:00Z")
    assert get_json() == (200, {"status": "degraded", "checks": {**HEALTHY, "breaker": "open"}})


@pytest.mark.usefixtures("empty_queue")
def test_old_queued_part_without_run_makes_workers_stalled() -> None:
    sql(
        "INSERT INTO reporting.seeder_queued_refresh"
        " (request_id, part, parts, description, requested_by, manifests, views, agencies)"
        " VALUES ('r', 1, 1, 'every report', 'a test', '[]', '[]', '[]')"
    )
    assert get_json()[1]["checks"]["workers"] == "idle"
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '6 minutes'")
    assert get_json() == (200, {"status": "degraded", "checks": {**HEALTHY, "workers": "stalled"}})
    # A claimed part whose worker was killed counts as waiting; one whose run holds its lock does not.
    QueuedRefresh.objects.update(state="running", run_ids=["gone", "this"])
    assert get_json()[1]["checks"]["workers"] == "stalled"
    sql("SELECT pg_advisory_lock(hashtextextended('seeder.run this', 0))")
    assert get_json() == (200, {"status": "ready", "checks": {**HEALTHY, "workers": "working"}})


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize(
    "lost",
    [
        "INSERT ON reporting.seeder_run_history, reporting.seeder_queued_refresh",
        "SELECT ON reporting.seeder_canned_report",
        "USAGE, UPDATE ON SEQUENCE reporting.seeder_run_history_id_seq, reporting.seeder_queued_refresh_id_seq",
        "USAGE ON SCHEMA reporting",
    ],
)
def test_missing_privilege_makes_it_not_ready(lost: str) -> None:
    role = "seeder_probe"
    if not sql("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        sql(f"CREATE ROLE {role}")
    sql(f"GRANT USAGE ON SCHEMA reporting TO {role}")
    sql(f"GRANT ALL ON ALL TABLES IN SCHEMA reporting, public TO {role}")
    sql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA reporting TO {role}")
    with default_database_with(OPTIONS={"options": f"-c role={role}"}):
        assert get_json() == (200, {"status": "ready", "checks": HEALTHY})
    sql(f"REVOKE {lost} FROM {role}")
    with default_database_with(OPTIONS={"options": f"-c role={role}"}):
        code, body = get_json()
    assert (code, body["checks"]["database"], body["checks"]["privileges"]) == (503, "ok", "missing")


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("given", [{"MAX_WORKERS": 0}, {"LOCK_TIMEOUT_MS": 1}])
def test_invalid_settings_make_it_not_ready(given: dict[str, int], settings: Settings) -> None:
    settings.SEEDER = given
    code, body = get_json()
    assert (code, body["checks"]["settings"]) == (503, "invalid")


@pytest.mark.usefixtures("empty_queue")
def test_other_database_down_makes_it_degraded(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    assert get_json() == (200, {"status": "ready", "checks": {**HEALTHY, "other_databases": "ok"}})
    before = connections.settings["archive"]
    connections.settings["archive"] = {**before, "ENGINE": "django.db.backends.postgresql", "HOST": "/nowhere"}
    try:
        assert get_json() == (200, {"status": "degraded", "checks": {**HEALTHY, "other_databases": "unreachable"}})
    finally:
        connections.settings["archive"] = before


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.slow
def test_web_process_without_database_is_alive_but_not_ready() -> None:
    with web_process(DB_HOST="/nowhere") as address:
        assert fetch(address + ALIVE) == (200, b'{"status": "alive"}')
        code, body = fetch(address + READY)
    assert code == 503
    assert b'"database": "unreachable"' in body
    assert b"nowhere" not in body


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.slow
def test_silent_server_is_unreachable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        with default_database_with(HOST=host, PORT=str(port)):
            started = monotonic()
            code, body = get_json()
    assert (code, body["checks"]["database"]) == (503, "unreachable")
    assert monotonic() - started < MAX_ANSWER_SECONDS


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.slow
def test_hanging_server_is_unreachable_then_recovers() -> None:
    """A stopped server never answers and never closes the connection."""
    silent = True
    greeted: list[bytes] = []

    def answer(data: bytes) -> bytes:
        if silent and greeted:
            return b""
        greeted.append(data) if b"Z\0\0\0\5I" in data else None
        return data

    with proxy_to_server(transform=answer) as (host, port), default_database_with(HOST=host, PORT=str(port)):
        started = monotonic()
        code, body = get_json()
        assert (code, body["checks"]["database"]) == (503, "unreachable")
        assert monotonic() - started < MAX_ANSWER_SECONDS
        silent = False
        assert get_json() == (200, {"status": "ready", "checks": HEALTHY})


@pytest.mark.usefixtures("empty_queue")
def test_probe_ignores_atomic_requests(settings: Settings) -> None:
    """A transaction around each request would wait for the checked server."""
    with default_database_with(HOST="/nowhere", ATOMIC_REQUESTS=True):
        assert get_json(ALIVE) == (200, {"status": "alive"})
        assert get_json()[0] == 503
    with default_database({"HOST": "/nowhere", "ATOMIC_REQUESTS": True}, alias="archive"):
        assert get_json(ALIVE) == (200, {"status": "alive"})


@pytest.mark.usefixtures("empty_queue")
def test_readiness_takes_at_most_25_statements() -> None:
    get_json()
    assert api_clients.count_statements(get_json) <= 25


@pytest.mark.usefixtures("empty_queue")
def test_repeated_readiness_request_uses_cached_result(monkeypatch: pytest.MonkeyPatch) -> None:
    get_json()
    monkeypatch.setattr(health_check, "CACHE_DURATION", timedelta(hours=1))
    assert api_clients.count_statements(get_json) == 0


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.slow
def test_production_probe_answers_without_tls() -> None:
    """Only the probes are exempt from the redirect to https."""
    names = {"DJANGO_SETTINGS_MODULE": "settings.production", "DJANGO_ALLOWED_HOSTS": "127.0.0.1"}
    with web_process(**names, DJANGO_SECRET_KEY=secrets.token_urlsafe(50)) as address:
        assert fetch(address + ALIVE)[0] == 200
        assert fetch(address + READY)[0] == 200
        # Redirected to https, which this server does not speak.
        with pytest.raises(URLError, match="WRONG_VERSION_NUMBER"):
            fetch(address + "/api/seeder/v1/jobs/")


@pytest.mark.usefixtures("empty_queue")
def test_probe_urls_can_be_mounted_alone(settings: Settings) -> None:
    settings.ROOT_URLCONF = "seeder.probes.urls"
    assert get_json("/health/alive") == (200, {"status": "alive"})
    assert get_json("/health/ready")[0] == 200
