"""Log events of runs, the queue and captures."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from docs_reference.log_events import LOG_EVENTS
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.run_events import ViewStarted
from seeder.errors import ServerUnreachable
from seeder.models import QueuedRefresh
from seeder.services import history_pruning
from seeder.services.queue import enqueue, part_execution
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from seeder.services.stop_signal import StopSignal
from tests import old_rows
from tests.conftest import create_canned_report, create_custom_manifest, sql


@pytest.fixture(autouse=True)
def log_is_captured(empty_queue: None, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Capture every line, and check that its fields are the documented ones."""
    caplog.set_level(logging.INFO, logger="seeder")
    yield
    lines = [vars(record)["seeder"] for record in caplog.get_records("call") if record.name == "seeder"]
    unknown = {(line["event"], field) for line in lines for field in line.keys() - LOG_EVENTS[line["event"]].fields}
    assert {(event, field) for event, field in unknown if field != "event"} == set()


def events_named(caplog: pytest.LogCaptureFixture, event: str) -> Sequence[Mapping[str, Any]]:
    """Return the fields of each event with this name."""
    fields: list[Mapping[str, Any]] = [vars(record)["seeder"] for record in caplog.records if record.name == "seeder"]
    return [record_fields for record_fields in fields if record_fields["event"] == event]


def test_run_is_logged_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 7) AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret-123'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("metro", "demo"))
    create_custom_manifest("one.two.three", "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    [started], [ended] = events_named(caplog, "run_started"), events_named(caplog, "run_ended")
    assert started == {
        "event": "run_started",
        "run_id": summary.run_id,
        "views": 3,
        "rejected": 1,
        "workers": 8,
        "databases": ("default",),
    }
    assert ended.items() >= {"run_id": summary.run_id, "succeeded": 2, "failed": 2, "interrupted": 0}.items()
    assert ended["duration_seconds"] > 0
    views = {fields["view"]: fields for fields in events_named(caplog, "view_ended")}
    assert views["reporting.good"].items() >= {"outcome": "created", "rows": 7, "database": "default"}.items()
    assert views["reporting.good"]["size_bytes"] > 0
    assert views["reporting.good"].keys() >= {"duration_seconds", "attempts", "worker_wait_seconds"}
    assert views["reporting.shared"]["agencies"] == ("demo", "metro")
    assert views["reporting.shared"]["report_types"] == ("canned",)
    failed = {"outcome": "failed", "reason": "invalid_text_representation", "sqlstate": "22P02"}
    assert views["reporting.bad"].items() >= failed.items()
    assert not views["reporting.bad"].keys() & {"rows", "mode"}
    [rejected] = events_named(caplog, "manifest_rejected")
    assert rejected.items() >= {"view": "one.two.three", "reason": "bad_name", "agencies": ("demo",)}.items()
    assert len(events_named(caplog, "view_started")) == 3
    assert "secret-123" not in caplog.text
    levels = {vars(record)["seeder"]["event"]: record.levelname for record in caplog.records}
    assert (levels["run_started"], levels["run_ended"], levels["manifest_rejected"]) == ("INFO", "WARNING", "WARNING")


def test_refresh_mode_and_fallback_are_logged(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    _, second = events_named(caplog, "view_ended")
    assert second.items() >= {"outcome": "refreshed", "mode": "plain", "fell_back": True, "notes": 1}.items()


def test_messages_of_the_server_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The note about an invalid query would contain them, too."""
    manifest = create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    manifest.query = 'SELECT "secret-123" AS n'
    manifest.save()
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    [result] = summary.results.values()
    assert "secret-" in "".join(result.notes)
    assert events_named(caplog, "view_ended")[-1].items() >= {"definition_drift": 1, "notes": 1}.items()
    assert "secret-" not in caplog.text


def test_view_name_cannot_forge_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest('reporting."a\nrun 1: all is well \u202e"', "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    messages = [message for message in caplog.messages if "all is well" in message]
    assert len(messages) == 2
    assert all(r'view="reporting.\"a\nrun 1: all is well \u202e\""' in message for message in messages)


def test_json_log_has_one_complete_object_per_line(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.SEEDER = {"LOG_FORMAT": "json"}
    name = 'reporting."a\nrun 1: all is well \u202e"'
    create_custom_manifest(name, "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    lines = [json.loads(message) for message in caplog.messages]
    assert [line["event"] for line in lines] == ["run_started", "view_started", "view_ended", "run_ended"]
    assert {line["run_id"] for line in lines} == {summary.run_id}
    assert all({"time", "level"} <= line.keys() for line in lines)
    assert lines[1]["view"] == name


def test_missing_optional_table_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    [warning] = events_named(caplog, "run_warning")
    assert warning["reason"] == "feature_unavailable"
    assert "seeder_circuit_breaker" in warning["message"]


def test_interrupted_view_is_logged_and_a_pending_one_is_not(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.SEEDER = {"MAX_WORKERS": 1}
    for name in ("a", "b"):
        create_custom_manifest(f"reporting.{name}", "SELECT count(*) FROM pg_sleep(60)")
    stop = StopSignal()
    orchestrator.execute_run(
        AllReports(),
        requested_by="a test",
        stop=stop,
        on_event=lambda event: stop.request("SIGTERM") if isinstance(event, ViewStarted) else None,
    )
    [started], [ended], [run] = (events_named(caplog, event) for event in ("view_started", "view_ended", "run_ended"))
    assert ended.items() >= {"outcome": "interrupted", "stopped_by": "SIGTERM", "agencies": ("demo",)}.items()
    assert (ended["view"], ended["run_id"]) == (started["view"], started["run_id"])
    assert run["interrupted"] == 2


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        (OperationalError("refused secret-123"), ServerUnreachable, "ServerUnreachable"),
        (ZeroDivisionError("secret-123"), ZeroDivisionError, "ZeroDivisionError"),
    ],
)
def test_failed_run_logs_the_name_of_its_error(
    caplog: pytest.LogCaptureFixture, error: Exception, raised: type[Exception], reason: str
) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")

    def fail(_: object) -> None:
        raise error

    with pytest.raises(raised):
        orchestrator.execute_run(AllReports(), requested_by="a test", on_event=fail)
    [failed] = events_named(caplog, "run_broken")
    assert failed["reason"] == reason
    assert "secret-123" not in caplog.text


def test_queued_part_is_logged_from_request_to_end(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    request = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="an operator")
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '1 hour'")
    [part] = QueuedRefresh.objects.all()
    executed = part_execution.run_part(part.pk)
    [queued] = events_named(caplog, "request_queued")
    assert queued.items() >= {"request": request.request_id, "parts": 1, "requested_by": "an operator"}.items()
    [claimed], [ended] = events_named(caplog, "part_claimed"), events_named(caplog, "part_ended")
    part_fields = {"part": part.pk, "run_id": executed.run_id, "agencies": ("demo",)}
    assert claimed.items() >= {**part_fields, "left": 1}.items()
    assert ended.items() >= {**part_fields, "outcome": "done", "succeeded": 1, "failed": 0}.items()
    [run] = events_named(caplog, "run_ended")
    assert run["run_id"] == executed.run_id
    assert run["duration_seconds"] < 3000, "the hour in the queue does not count"


def test_failed_dispatch_does_not_log_the_broker_address(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")

    def refuse(*_: object) -> None:
        raise ConnectionError("redis://user:secret-123@broker")

    monkeypatch.setattr("django_q.tasks.async_task", refuse)
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="an operator")
    [failed] = events_named(caplog, "dispatch_failed")
    assert failed["reason"] == "ConnectionError"
    assert "secret-123" not in caplog.text


def test_pruning_is_logged_and_its_dry_run_is_not(caplog: pytest.LogCaptureFixture) -> None:
    for days in (50, 40, 30):
        old_rows.insert_history_row("reporting.a", days)
    history_pruning.prune(days=9, dry_run=True)
    assert events_named(caplog, "history_pruned") == []
    history_pruning.prune(days=9)
    [pruned] = events_named(caplog, "history_pruned")
    assert pruned.items() >= {"days": 9, "rows": 2, "runs": 0, "parts": 0}.items()


def test_capture_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 7) AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.good", "v1")
    [captured] = events_named(caplog, "snapshot_captured")
    assert captured.items() >= {"view": "reporting.good", "release_tag": "v1", "rows": 7, "exact": True}.items()
