"""Why the last refresh of a view ran, waited, failed or was held, and in which mode."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from seeder.domain.admission_types import HoldReason
from seeder.domain.explanation.facts import Decision, Level, RefreshMetrics, StoredRefresh, Topic, ViewStory
from seeder.domain.human_format import format_count, format_duration, format_size, time_ago_text
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import HeldReason, Status

_MIN_WAIT = timedelta(milliseconds=100)  # a shorter one is not reported
_HOLD_TEXTS = {
    HoldReason.SERVER_BUSY: "the server was busy",
    HoldReason.CIRCUIT_OPEN: "the circuit breaker was open",
}
_PLAIN_FALLBACK = "the view has no unique index on plain columns without a WHERE clause, or was never filled"


def refresh_decisions(story: ViewStory) -> Iterator[Decision]:
    """Yield the decisions on the manifests, the latest refresh, its waits and its mode."""
    yield from _manifest_decisions(story)
    last = story.last
    if last is None:
        yield Decision(topic=Topic.REFRESH, text="No run has recorded a refresh of it.", level=Level.WARNING)
        return
    yield from _outcome_decisions(story, last)
    ended = story.last_ended
    if ended is not None and ended is not last:
        yield from _ended_decisions(story, ended, "Before that: ")
    if ended is not None and ended.metrics is not None:
        yield from _wait_decisions(ended, ended.metrics)
    if ended is not None and ended.group is not None:
        text = f"In the consistent group {ended.group.name}: {ended.group}"
        yield Decision(topic=Topic.GROUP, text=text, level=Level.OK if ended.group.is_complete else Level.WARNING)
    if story.last_success is not None:
        yield from _mode_decisions(story.last_success, is_last=story.last_success is ended)
    if ended is not None and ended.skip_reason:
        yield Decision(topic=Topic.SKIP, text=ended.skip_reason, level=Level.OK)
    if ended is not None:
        yield from (Decision(topic=Topic.REFRESH, text=note, level=Level.WARNING) for note in ended.notes)


def time_text(instant: datetime) -> str:
    """Return an instant such as `2026-11-30 02:14:03 UTC`."""
    return f"{instant:%Y-%m-%d %H:%M:%S %Z}"


def _manifest_decisions(story: ViewStory) -> Iterator[Decision]:
    for rejected in story.rejected:
        text = (
            f"Runs reject {rejected.manifest.report_type} manifest {rejected.manifest.manifest_id}: {rejected.message}"
        )
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.ERROR)
    if not story.manifests and not story.rejected:
        text = "No run refreshes it, because none of its manifests is enabled."
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.WARNING)
    if not story.exists:
        text = "The view does not exist. The next refresh creates it from the query of its first manifest."
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.WARNING)
    elif not story.is_populated:
        text = "The view was never filled, or emptied WITH NO DATA. Readers get an error until its next refresh."
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.ERROR)


def _outcome_decisions(story: ViewStory, last: StoredRefresh) -> Iterator[Decision]:
    if last.status is Status.PENDING:
        since = time_text(last.started_at)
        text = f"A refresh waits in {_run_text(last)} since {since}, because {_cause_of_waiting(story, last)}."
        yield Decision(topic=Topic.WAIT, text=text)
    elif last.status is Status.RUNNING:
        usual = story.facts.usual_duration
        usual_text = f", usually {format_duration(usual)}" if usual is not None else ""
        duration = format_duration(story.now - last.started_at)
        text = f"A refresh is running in {_run_text(last)} for {duration}{usual_text}."
        yield Decision(topic=Topic.REFRESH, text=text)
    else:
        yield from _ended_decisions(story, last, "")


def _cause_of_waiting(story: ViewStory, last: StoredRefresh) -> str:
    """Return what a pending refresh waits for, as far as it is stored."""
    if open_holds := [hold for hold in last.holds if hold.finished_at is None]:
        hold = open_holds[0]
        return f"its database is on hold since {time_text(hold.started_at)} ({hold.reason})"
    open_statuses = {Status.PENDING, Status.RUNNING}
    if names := [str(one.view.name) for one in story.relations.views if one.facts.status in open_statuses]:
        return f"it reads {' and '.join(sorted(names))}, which has not ended"
    return "every worker is busy, or the next batch has not started"


def _ended_decisions(story: ViewStory, ended: StoredRefresh, introduction: str) -> Iterator[Decision]:
    """Yield how a refresh ended, and what readers see after a failure."""
    if ended.status is Status.SUCCESS:
        yield Decision(topic=Topic.REFRESH, text=_after(introduction, _success_text(story, ended)), level=Level.OK)
        return
    yield Decision(topic=Topic.REFRESH, text=_after(introduction, _failure_text(ended)), level=Level.ERROR)
    success = story.last_success
    if not story.is_populated:
        return
    if success is None:
        text = "No refresh of it has succeeded."
    else:
        ago = time_ago_text(success.started_at, story.now)
        text = f"Readers see the rows of the last success, {time_text(success.started_at)} ({ago})."
    if ended.consecutive_failures > 1:
        text += f" {ended.consecutive_failures:,} refreshes in a row failed."
    yield Decision(topic=Topic.REFRESH, text=text, level=Level.WARNING)


def _after(introduction: str, sentence: str) -> str:
    return introduction + sentence[0].lower() + sentence[1:] if introduction else sentence


def _success_text(story: ViewStory, ended: StoredRefresh) -> str:
    verb = "Refreshed"
    if ended.skip_reason is not None:
        verb = "Skipped"
    elif ended.is_reused:
        verb = "Refreshed by another run"
    elif ended.metrics is not None and ended.metrics.mode is None:
        verb = "Created"
    facts: list[str] = [] if ended.rows is None else [format_count(ended.rows, "row")]
    facts += [] if ended.size_bytes is None else [format_size(ended.size_bytes)]
    duration = "" if ended.duration is None else f" in {format_duration(ended.duration)}"
    ago = time_ago_text(ended.started_at, story.now)
    figures = f": {', '.join(facts)}" if facts else ""
    return f"{verb} at {time_text(ended.started_at)} ({ago}){duration} by {_run_text(ended)}{figures}."


def _failure_text(ended: StoredRefresh) -> str:
    at, run = time_text(ended.finished_at or ended.started_at), _run_text(ended)
    message = (ended.message or "").partition("\n")[0].removeprefix("interrupted: ").strip()
    cause = f": {message}" if message else "."
    if ended.is_interrupted:
        return f"Interrupted at {at} in {run}{cause}"
    if ended.reason == HeldReason.DATA_CHECKS:
        return f"Held at {at} in {run}, because its new rows failed a data check."
    if ended.reason == HeldReason.DEPENDENCY:
        return f"Not started at {at} in {run}, because data checks held a view that it reads."
    if ended.reason == HeldReason.GROUP:
        return f"Not published at {at} in {run}, because data checks held another view of its consistent group."
    if ended.reason in _HOLD_TEXTS:
        return f"Given up at {at} in {run}, because {_HOLD_TEXTS[HoldReason(ended.reason)]} for too long{cause}"
    duration = "" if ended.duration is None else f" after {format_duration(ended.duration)}"
    reason = f" with {ended.reason}" if ended.reason else ""
    return f"Failed at {at}{duration} in {run}{reason}{cause}"


def _run_text(refresh: StoredRefresh) -> str:
    facts = [refresh.run_description or ""]
    facts += [f"requested by {refresh.requested_by}"] if refresh.requested_by else []
    known = ", ".join(filter(None, facts))
    return f"run {refresh.run_id}" + (f" ({known})" if known else "")


def _wait_decisions(ended: StoredRefresh, metrics: RefreshMetrics) -> Iterator[Decision]:
    waits = {
        "for a free worker": metrics.worker_wait,
        "on hold": metrics.throttle_wait,
        "for locks": metrics.lock_wait,
    }
    texts = [
        f"{format_duration(wait)} {name}" for name, wait in waits.items() if wait is not None and wait >= _MIN_WAIT
    ]
    if metrics.attempts is not None and metrics.attempts > 1:
        others = " or refreshes by other sessions" if ended.group is not None else ""
        yield Decision(
            topic=Topic.WAIT, text=f"It took {metrics.attempts} attempts, because of transient errors{others}."
        )
    if not texts:
        return
    holds = ""
    if (metrics.throttle_wait or timedelta()) >= _MIN_WAIT and ended.holds:
        hold = ended.holds[0]
        until = "" if hold.finished_at is None else f" to {hold.finished_at:%H:%M:%S}"
        cause = _HOLD_TEXTS[HoldReason(hold.reason)] if hold.reason in {*HoldReason} else hold.reason
        holds = f" From {hold.started_at:%H:%M:%S}{until}, {cause}."
    yield Decision(topic=Topic.WAIT, text=f"It waited {', '.join(texts)}.{holds}")


def _mode_decisions(success: StoredRefresh, *, is_last: bool) -> Iterator[Decision]:
    metrics = success.metrics
    if metrics is None or metrics.mode is None:
        return
    introduction = "" if is_last else "Last success: "
    is_plain = metrics.mode is RefreshMode.PLAIN
    if metrics.mode_reason is not None:
        text = metrics.mode_reason
    elif is_plain and metrics.fell_back:
        text = f"Refreshed plainly, which blocked readers, although concurrently was configured: {_PLAIN_FALLBACK}."
    elif is_plain:
        text = "Refreshed plainly, which blocked readers, as SEEDER_REFRESH_CONCURRENTLY=false says."
    else:
        text = "Refreshed concurrently, which did not block readers, as SEEDER_REFRESH_CONCURRENTLY=true says."
    if not is_plain and metrics.rows_inserted is not None and metrics.rows_deleted is not None:
        text += f" It inserted {format_count(metrics.rows_inserted, 'row')} and deleted {metrics.rows_deleted:,}."
    yield Decision(
        topic=Topic.MODE, text=introduction + text, level=Level.WARNING if metrics.fell_back else Level.NOTICE
    )
