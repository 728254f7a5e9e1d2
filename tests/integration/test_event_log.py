"""What a run, the queue and a capture leave in the log."""

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


def facts(caplog: pytest.LogCaptureFixture, event: str) -> Sequence[Mapping[str, Any]]:
    """As a formatter of the host's own finds them."""
    found: list[Mapping[str, Any]] = [vars(record)["seeder"] for record in caplog.records if record.name == "seeder"]
    return [one for one in found if one["event"] == event]


def test_a_run_is_told_with_its_facts(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 7) AS n")
    create_custom_manifest("reporting.bad", "SELECT 'secret-123'::integer AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("metro", "demo"))
    create_custom_manifest("one.two.three", "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    [started], [ended] = facts(caplog, "run_started"), facts(caplog, "run_ended")
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
    views = {one["view"]: one for one in facts(caplog, "view_ended")}
    assert views["reporting.good"].items() >= {"outcome": "created", "rows": 7, "database": "default"}.items()
    assert views["reporting.good"]["size_bytes"] > 0
    assert views["reporting.good"].keys() >= {"duration_seconds", "attempts", "worker_wait_seconds"}
    assert views["reporting.shared"]["agencies"] == ("demo", "metro")
    assert views["reporting.shared"]["report_types"] == ("canned",)
    failed = {"outcome": "failed", "reason": "invalid_text_representation", "sqlstate": "22P02"}
    assert views["reporting.bad"].items() >= failed.items()
    assert not views["reporting.bad"].keys() & {"rows", "mode"}
    [refused] = facts(caplog, "manifest_rejected")
    assert refused.items() >= {"view": "one.two.three", "reason": "bad_name", "agencies": ("demo",)}.items()
    assert len(facts(caplog, "view_started")) == 3
    assert "secret-123" not in caplog.text
    levels = {vars(record)["seeder"]["event"]: record.levelname for record in caplog.records}
    assert (levels["run_started"], levels["run_ended"], levels["manifest_rejected"]) == ("INFO", "WARNING", "WARNING")


def test_how_a_view_was_refreshed_is_told(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    _, again = facts(caplog, "view_ended")
    assert again.items() >= {"outcome": "refreshed", "mode": "plain", "fell_back": True, "notes": 1}.items()


def test_no_message_of_the_server_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Also not by the way of what is noted about a manifest whose query has changed and cannot be a view."""
    manifest = create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    manifest.query = 'SELECT "secret-123" AS n'
    manifest.save()
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    [result] = summary.results.values()
    assert "secret-" in "".join(result.notes)
    assert facts(caplog, "view_ended")[-1].items() >= {"definition_drift": 1, "notes": 1}.items()
    assert "secret-" not in caplog.text


def test_no_name_forges_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest('reporting."a\nrun 1: all is well \u202e"', "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    about = [message for message in caplog.messages if "all is well" in message]
    assert len(about) == 2
    assert all(r'view="reporting.\"a\nrun 1: all is well \u202e\""' in message for message in about)


def test_as_json_each_line_is_an_object_that_needs_no_other(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.SEEDER = {"LOG_FORMAT": "json"}
    name = 'reporting."a\nrun 1: all is well \u202e"'
    create_custom_manifest(name, "SELECT 1 AS n")
    summary = orchestrator.execute_run(AllReports(), requested_by="a test")
    lines = [json.loads(message) for message in caplog.messages]
    assert [line["event"] for line in lines] == ["run_started", "view_started", "view_ended", "run_ended"]
    assert {line["run_id"] for line in lines} == {summary.run_id}
    assert all({"time", "level"} <= line.keys() for line in lines)
    assert lines[1]["view"] == name


def test_what_is_left_without_an_optional_table_is_told_in_a_word(caplog: pytest.LogCaptureFixture) -> None:
    sql("DROP TABLE reporting.seeder_circuit_breaker")
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    [noticed] = facts(caplog, "run_warning")
    assert noticed["reason"] == "feature_unavailable"
    assert "seeder_circuit_breaker" in noticed["message"]


def test_a_view_that_is_interrupted_is_told_to_have_ended_and_one_that_never_began_is_not(
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
    [started], [ended], [run] = (facts(caplog, event) for event in ("view_started", "view_ended", "run_ended"))
    assert ended.items() >= {"outcome": "interrupted", "stopped_by": "SIGTERM", "agencies": ("demo",)}.items()
    assert (ended["view"], ended["run_id"]) == (started["view"], started["run_id"])
    assert run["interrupted"] == 2


@pytest.mark.parametrize(
    ("surprise", "raised", "word"),
    [
        (OperationalError("refused secret-123"), ServerUnreachable, "ServerUnreachable"),
        (ZeroDivisionError("secret-123"), ZeroDivisionError, "ZeroDivisionError"),
    ],
)
def test_a_run_that_breaks_names_the_error_that_its_command_tells(
    caplog: pytest.LogCaptureFixture, surprise: Exception, raised: type[Exception], word: str
) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")

    def break_it(_: object) -> None:
        raise surprise

    with pytest.raises(raised):
        orchestrator.execute_run(AllReports(), requested_by="a test", on_event=break_it)
    [broken] = facts(caplog, "run_broken")
    assert broken["reason"] == word
    assert "secret-123" not in caplog.text


def test_a_queued_part_is_told_from_asking_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    asked = enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="somebody")
    sql("UPDATE reporting.seeder_queued_refresh SET requested_at = now() - interval '1 hour'")
    [part] = QueuedRefresh.objects.all()
    worked = part_execution.run_part(part.pk)
    [queued] = facts(caplog, "request_queued")
    assert queued.items() >= {"request": asked.request_id, "parts": 1, "requested_by": "somebody"}.items()
    [taken], [ended] = facts(caplog, "part_claimed"), facts(caplog, "part_ended")
    which = {"part": part.pk, "run_id": worked.run_id, "agencies": ("demo",)}
    assert taken.items() >= {**which, "left": 1}.items()
    assert ended.items() >= {**which, "outcome": "done", "succeeded": 1, "failed": 0}.items()
    [run] = facts(caplog, "run_ended")
    assert run["run_id"] == worked.run_id
    assert run["duration_seconds"] < 3000, "the hour in the queue is no part of it"


def test_a_broker_that_cannot_be_told_says_nothing_of_where_it_is(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")

    def refuse(*_: object) -> None:
        raise ConnectionError("redis://user:secret-123@broker")

    monkeypatch.setattr("django_q.tasks.async_task", refuse)
    enqueue.enqueue_refresh(AgencyReports(slug="demo"), requested_by="somebody")
    [failed] = facts(caplog, "dispatch_failed")
    assert failed["reason"] == "ConnectionError"
    assert "secret-123" not in caplog.text


def test_pruning_is_told_and_a_rehearsal_of_it_is_not(caplog: pytest.LogCaptureFixture) -> None:
    for days in (50, 40, 30):
        old_rows.insert_history_row("reporting.a", days)
    history_pruning.prune(days=9, dry_run=True)
    assert facts(caplog, "history_pruned") == []
    history_pruning.prune(days=9)
    [pruned] = facts(caplog, "history_pruned")
    assert pruned.items() >= {"days": 9, "rows": 2, "runs": 0, "parts": 0}.items()


def test_a_capture_is_told(caplog: pytest.LogCaptureFixture) -> None:
    create_custom_manifest("reporting.good", "SELECT n FROM generate_series(1, 7) AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.good", "v1")
    [captured] = facts(caplog, "snapshot_captured")
    assert captured.items() >= {"view": "reporting.good", "release_tag": "v1", "rows": 7, "exact": True}.items()
