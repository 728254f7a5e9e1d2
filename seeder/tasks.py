"""Tasks of the queue: plain values in, one service call, a small dictionary out.

No task treats missing arguments as "all". Every task is idempotent.
"""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.dispatch import receiver

from seeder.domain.manifests import ReportType
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import BadTaskArgument, SnapshotTaken
from seeder.services import extras, history_pruning
from seeder.services.documents.document_fields import fields
from seeder.services.notifications import sending
from seeder.services.queue import due_refreshes, enqueue, part_execution, rescue
from seeder.services.snapshots import release_snapshots
from seeder.services.stop_signal import StopSignal
from seeder.services.unix_signals import handle_signals

extras.require(extras.QUEUE, "seeder.tasks")

from django_q.signals import post_execute_in_worker, pre_execute  # noqa: E402  # after the check that it is installed

# The task that this process runs, as the queue has it. A second delivery has the same id.
_current_task: dict[str, Any] = {}


def refresh_all(report_type: str) -> Mapping[str, Any]:
    """Queue every enabled report of every agency. `report_type` is "custom", "canned" or "any".

    Returns `{"requestId": "…", "parts": [7, 8], "joined": False}`. Raises `BadTaskArgument`, or as `enqueue_refresh`.
    """
    _require_type("report_type", report_type, str)
    if report_type not in {"any", *ReportType}:
        raise BadTaskArgument(argument="report_type", value=report_type, expected="any, custom or canned")
    return _enqueue(AllReports(report_type=None if report_type == "any" else ReportType(report_type)))


def refresh_agency(slug: str) -> Mapping[str, Any]:
    """Queue the enabled reports of one agency, as `refresh_all` does."""
    _require_type("slug", slug, str)
    return _enqueue(AgencyReports(slug=slug))


def refresh_table(table_name: str) -> Mapping[str, Any]:
    """Queue one view, as `refresh_all` does."""
    _require_type("table_name", table_name, str)
    return _enqueue(SingleView(name=ViewName.parse(table_name)))


def refresh_due_views() -> Mapping[str, Any]:
    """Queue the views that have to start now to meet their freshness contracts, as `refresh_all` does.

    Raises as `enqueue_refresh`.
    """
    return _enqueue(due_refreshes.due_views())


def refresh_views_without_contracts() -> Mapping[str, Any]:
    """Queue every enabled report of a view without a freshness contract, as `refresh_all` does.

    Raises as `enqueue_refresh`.
    """
    return _enqueue(due_refreshes.views_without_contracts())


def refresh_queued(part_id: int, *, min_interval_seconds: float = 0) -> Mapping[str, Any]:
    """Run a part, unless it has ended or another worker runs it.

    First wait until no refresh of its views has started for `min_interval_seconds`.
    """
    _require_type("part_id", part_id, int)
    _require_type("min_interval_seconds", min_interval_seconds, float, int)
    with _stop_on_sigterm() as stop:
        min_interval = timedelta(seconds=min_interval_seconds)
        return asdict(part_execution.run_part(part_id, min_interval=min_interval, stop=stop))


def resume_queue() -> Mapping[str, Any]:
    """Rescue stalled parts. Returns `{"dispatched": [7], "recovered": ["run id"]}`."""
    rescued = rescue.rescue_stalled_parts()
    return {"dispatched": list(rescued.dispatched), "recovered": [*rescued.recovered]}


def capture_release_snapshot(
    table_name: str,
    release_tag: str,
    *,
    release_version: str | None = None,
    top_values_columns: Sequence[str] = (),
    approximate: bool = False,
) -> Mapping[str, Any]:
    """Capture one view under a release tag.

    Returns `{"id": 7, "captured": True}`, or False and the id of an existing snapshot. Raises `BadTaskArgument`, or as
    `release_snapshots.capture_release_snapshot`.
    """
    _require_type("table_name", table_name, str)
    _require_type("release_tag", release_tag, str)
    _require_type("release_version", release_version, str, type(None))
    _require_type("top_values_columns", top_values_columns, list, tuple)
    for name in top_values_columns:
        _require_type("top_values_columns", name, str)
    _require_type("approximate", approximate, bool)
    try:
        snapshot = release_snapshots.capture_release_snapshot(
            table_name,
            release_tag,
            release_version=release_version,
            top_values_columns=top_values_columns,
            approximate=approximate,
        )
    except SnapshotTaken:
        return {"id": release_snapshots.find_by_tag(table_name, release_tag).id, "captured": False}
    return {"id": snapshot.id, "captured": True}


def send_notifications() -> Mapping[str, Any]:
    """Send the notifications that are due, as the command does. Returns `{"sent": 3, "failed": 0, "givenUp": 0}`.

    Raises as `sending.send_notifications`.
    """
    return fields(sending.send_notifications(), "sent", "failed", "given_up")


def prune_history(days: int) -> Mapping[str, Any]:
    """Delete history that is older than `days`, as the command `prune_history` does.

    Returns `{"historyRows": 5000, "runs": 12, "queuedRefreshes": 8, "stoppedBy": None}`. Raises `BadTaskArgument`, or
    as `history_pruning.prune`.
    """
    _require_type("days", days, int)
    with _stop_on_sigterm() as stop:
        pruned = history_pruning.prune(days=days, stop=stop)
    counts = {"historyRows": "deleted_history", "runs": "deleted_runs", "queuedRefreshes": "deleted_parts"}
    return fields(pruned, **counts, stoppedBy="stopped_by")


@receiver(pre_execute)
def _remember_task(task: Mapping[str, Any], **_: object) -> None:
    _current_task.clear()
    _current_task.update(task)


@receiver(post_execute_in_worker)
def _forget_task(**_: object) -> None:
    _current_task.clear()


def _enqueue(request: RefreshRequest) -> Mapping[str, Any]:
    """Queue once, even if the task is delivered twice. The tasks of a schedule have its name as their group."""
    key = f"task:{_current_task['id']}" if _current_task else None
    queued = enqueue.enqueue_refresh(
        request, requested_by=str(_current_task.get("group") or "a task"), idempotency_key=key
    )
    return {"requestId": queued.request_id, "parts": [part.pk for part in queued.parts], "joined": queued.joined}


@contextmanager
def _stop_on_sigterm() -> Iterator[StopSignal]:
    """Yield a stop signal that SIGTERM sets, and raise SIGTERM again at the end."""
    stop = StopSignal()
    try:
        with handle_signals(lambda *_: stop.request("SIGTERM"), [signal.SIGTERM]):
            yield stop
    finally:
        if stop.reason == "SIGTERM":
            os.kill(os.getpid(), signal.SIGTERM)


def _require_type(argument: str, value: object, *types: type) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise BadTaskArgument(argument=argument, value=value, expected=" or ".join(one.__name__ for one in types))
