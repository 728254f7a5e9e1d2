"""Why the last refresh of a view ran, waited, failed or was held, and in which mode."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from seeder.domain.admission_types import HoldReason
from seeder.domain.explanation.facts import Decision, Level, RefreshMetrics, StoredRefresh, Topic, ViewStory
from seeder.domain.human_format import format_count, format_duration, format_size, time_ago_text
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.monitoring.timeline import HoldInterval
from seeder.domain.outcomes import OPEN_STATUSES, HeldReason, Status
from seeder.texts import Text

_MIN_WAIT = timedelta(milliseconds=100)  # a shorter one is not reported


def refresh_decisions(story: ViewStory) -> Iterator[Decision]:
    """Yield the decisions on the manifests, the latest refresh, its waits and its mode."""
    yield from _manifest_decisions(story)
    last = story.last
    if last is None:
        yield Decision(topic=Topic.REFRESH, text=Text("No run has recorded a refresh of it."), level=Level.WARNING)
        return
    yield from _outcome_decisions(story, last)
    ended = story.last_ended
    if ended is not None and ended is not last:
        yield from _ended_decisions(story, ended, is_last=False)
    if ended is not None and ended.metrics is not None:
        yield from _wait_decisions(ended, ended.metrics)
    if ended is not None and ended.group is not None:
        text = Text("In the consistent group {group}: {ending}", group=ended.group.name, ending=str(ended.group))
        yield Decision(topic=Topic.GROUP, text=text, level=Level.OK if ended.group.is_complete else Level.WARNING)
    if story.last_success is not None:
        yield from _mode_decisions(story.last_success, is_last=story.last_success is ended)
    if ended is not None and ended.skip_reason:
        yield Decision(topic=Topic.SKIP, text=ended.skip_reason, level=Level.OK)
    if ended is not None:
        yield from (Decision(topic=Topic.REFRESH, text=note, level=Level.WARNING) for note in ended.notes)


def time_text(instant: datetime) -> Text:
    """Return an instant such as `2026-11-30 02:14:03 UTC`."""
    return Text("{instant:%Y-%m-%d %H:%M:%S %Z}", instant=instant)


def _manifest_decisions(story: ViewStory) -> Iterator[Decision]:
    for rejected in story.rejected:
        text = Text(
            "Runs reject {report_type} manifest {manifest_id}: {message}",
            report_type=rejected.manifest.report_type,
            manifest_id=rejected.manifest.manifest_id,
            message=rejected.message,
        )
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.ERROR)
    if not story.manifests and not story.rejected:
        text = Text("No run refreshes it, because none of its manifests is enabled.")
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.WARNING)
    if not story.exists:
        text = Text("The view does not exist. The next refresh creates it from the query of its first manifest.")
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.WARNING)
    elif not story.is_populated:
        text = Text("The view was never filled, or emptied WITH NO DATA. Readers get an error until its next refresh.")
        yield Decision(topic=Topic.MANIFEST, text=text, level=Level.ERROR)


def _outcome_decisions(story: ViewStory, last: StoredRefresh) -> Iterator[Decision]:
    if last.status is Status.PENDING:
        yield Decision(topic=Topic.WAIT, text=_pending_text(story, last))
    elif last.status is Status.RUNNING:
        run, duration = _run_text(last), format_duration(story.now - last.started_at)
        text = Text("A refresh is running in {run} for {duration}.", run=run, duration=duration)
        if (usual := story.facts.usual_duration) is not None:
            text = Text(
                "A refresh is running in {run} for {duration}, usually {usual}.",
                run=run,
                duration=duration,
                usual=format_duration(usual),
            )
        yield Decision(topic=Topic.REFRESH, text=text)
    else:
        yield from _ended_decisions(story, last, is_last=True)


def _pending_text(story: ViewStory, last: StoredRefresh) -> Text:
    """Return what a pending refresh waits for, as far as it is stored."""
    run, since = _run_text(last), time_text(last.started_at)
    if open_holds := [hold for hold in last.holds if hold.finished_at is None]:
        return Text(
            "A refresh waits in {run} since {since}, because its database is on hold since {held_since} ({reason}).",
            run=run,
            since=since,
            held_since=time_text(open_holds[0].started_at),
            reason=open_holds[0].reason,
        )
    if names := [str(one.view.name) for one in story.relations.views if one.facts.status in OPEN_STATUSES]:
        return Text(
            "A refresh waits in {run} since {since}, because it reads {views}, which has not ended.",
            run=run,
            since=since,
            views=Text.joined(sorted(names)),
        )
    return Text(
        "A refresh waits in {run} since {since}, because every worker is busy, or the next batch has not started.",
        run=run,
        since=since,
    )


def _ended_decisions(story: ViewStory, ended: StoredRefresh, *, is_last: bool) -> Iterator[Decision]:
    """Yield how a refresh ended, and what readers see after a failure."""
    has_succeeded = ended.status is Status.SUCCESS
    text = _success_text(story, ended) if has_succeeded else _failure_text(ended)
    yield Decision(
        topic=Topic.REFRESH,
        text=text if is_last else Text("Before that: {sentence}", sentence=text),
        level=Level.OK if has_succeeded else Level.ERROR,
    )
    success = story.last_success
    if has_succeeded or not story.is_populated:
        return
    if success is None:
        sentences = [Text("No refresh of it has succeeded.")]
    else:
        at, ago = time_text(success.started_at), time_ago_text(success.started_at, story.now)
        sentences = [Text("Readers see the rows of the last success, {at} ({ago}).", at=at, ago=ago)]
    if ended.consecutive_failures > 1:
        sentences.append(Text("{number:,} refreshes in a row failed.", number=ended.consecutive_failures))
    yield Decision(topic=Topic.REFRESH, text=Text.joined(sentences, " "), level=Level.WARNING)


def _success_text(story: ViewStory, ended: StoredRefresh) -> Text:
    facts = [] if ended.rows is None else [format_count(ended.rows, "row")]
    figures = [*facts, *([] if ended.size_bytes is None else [format_size(ended.size_bytes)])]
    run = _run_text(ended)
    values = {
        "at": time_text(ended.started_at),
        "ago": time_ago_text(ended.started_at, story.now),
        "duration": _duration_text(ended),
        "run": Text("{run}: {figures}", run=run, figures=Text.joined(figures)) if figures else run,
    }
    if ended.skip_reason is not None:
        return Text("Skipped at {at} ({ago}) in {duration} by {run}.", **values)
    if ended.is_reused:
        return Text("Refreshed by another run at {at} ({ago}) in {duration} by {run}.", **values)
    if ended.metrics is not None and ended.metrics.mode is None:
        return Text("Created at {at} ({ago}) in {duration} by {run}.", **values)
    return Text("Refreshed at {at} ({ago}) in {duration} by {run}.", **values)


def _duration_text(ended: StoredRefresh) -> Text:
    return Text("an unknown time") if ended.duration is None else format_duration(ended.duration)


def _failure_text(ended: StoredRefresh) -> Text:
    values = {"at": time_text(ended.finished_at or ended.started_at), "run": _run_text(ended)}
    if ended.is_run_dead:
        return Text(
            "Interrupted after {at} in {run}, whose process was killed. What it left: manage.py retry_run {run_id}",
            run_id=ended.run_id,
            **values,
        )
    match ended.reason:
        case _ if ended.is_interrupted:
            text = Text("Interrupted at {at} in {run}", **values)
        case HeldReason.DATA_CHECKS:
            return Text("Held at {at} in {run}, because its new rows failed a data check.", **values)
        case HeldReason.DEPENDENCY:
            return Text("Not started at {at} in {run}, because data checks held a view that it reads.", **values)
        case HeldReason.GROUP:
            return Text(
                "Not published at {at} in {run}, because data checks held another view of its consistent group.",
                **values,
            )
        case HoldReason.SERVER_BUSY:
            text = Text("Given up at {at} in {run}, because the server was busy for too long", **values)
        case HoldReason.CIRCUIT_OPEN:
            text = Text("Given up at {at} in {run}, because the circuit breaker was open for too long", **values)
        case None | "":
            text = Text("Failed at {at} after {duration} in {run}", duration=_duration_text(ended), **values)
        case reason:
            text = Text(
                "Failed at {at} after {duration} in {run} with {reason}",
                duration=_duration_text(ended),
                reason=reason,
                **values,
            )
    message = (ended.message or "").partition("\n")[0].removeprefix("interrupted: ").strip()
    return Text("{text}: {message}", text=text, message=message) if message else Text("{text}.", text=text)


def _run_text(refresh: StoredRefresh) -> Text:
    facts = [refresh.run_description] if refresh.run_description else []
    if refresh.requested_by:
        facts.append(Text("requested by {user}", user=refresh.requested_by))
    if not facts:
        return Text("run {run_id}", run_id=refresh.run_id)
    return Text("run {run_id} ({facts})", run_id=refresh.run_id, facts=Text.joined(facts))


def _wait_decisions(ended: StoredRefresh, metrics: RefreshMetrics) -> Iterator[Decision]:
    if metrics.attempts is not None and metrics.attempts > 1:
        if ended.group is None:
            text = Text("It took {number} attempts, because of transient errors.", number=metrics.attempts)
        else:
            text = Text(
                "It took {number} attempts, because of transient errors or refreshes by other sessions.",
                number=metrics.attempts,
            )
        yield Decision(topic=Topic.WAIT, text=text)
    waits = []
    if worker_wait := _counting_wait(metrics.worker_wait):
        waits.append(Text("{duration} for a free worker", duration=worker_wait))
    if throttle_wait := _counting_wait(metrics.throttle_wait):
        waits.append(Text("{duration} on hold", duration=throttle_wait))
    if lock_wait := _counting_wait(metrics.lock_wait):
        waits.append(Text("{duration} for locks", duration=lock_wait))
    if waits:
        sentences = [Text("It waited {waits}.", waits=Text.joined(waits))]
        if throttle_wait and ended.holds:
            sentences.append(_hold_text(ended.holds[0]))
        yield Decision(topic=Topic.WAIT, text=Text.joined(sentences, " "))


def _counting_wait(wait: timedelta | None) -> Text | None:
    """Return a wait that is long enough to report it, or None."""
    return None if wait is None or wait < _MIN_WAIT else format_duration(wait)


def _hold_text(hold: HoldInterval) -> Text:
    start = Text("{instant:%H:%M:%S}", instant=hold.started_at)
    period = Text("From {start}", start=start)
    if hold.finished_at is not None:
        end = Text("{instant:%H:%M:%S}", instant=hold.finished_at)
        period = Text("From {start} to {end}", start=start, end=end)
    match hold.reason:
        case HoldReason.SERVER_BUSY:
            return Text("{period}, the server was busy.", period=period)
        case HoldReason.CIRCUIT_OPEN:
            return Text("{period}, the circuit breaker was open.", period=period)
    return Text("{period}, {reason}.", period=period, reason=hold.reason)


def _mode_decisions(success: StoredRefresh, *, is_last: bool) -> Iterator[Decision]:
    metrics = success.metrics
    if metrics is None or metrics.mode is None:
        return
    is_plain = metrics.mode is RefreshMode.PLAIN
    sentences = [metrics.mode_reason or _configured_mode_text(metrics)]
    if not is_plain and metrics.rows_inserted is not None and metrics.rows_deleted is not None:
        sentences.append(
            Text(
                "It inserted {rows} and deleted {deleted:,}.",
                rows=format_count(metrics.rows_inserted, "row"),
                deleted=metrics.rows_deleted,
            )
        )
    text = Text.joined(sentences, " ")
    yield Decision(
        topic=Topic.MODE,
        text=text if is_last else Text("Last success: {sentences}", sentences=text),
        level=Level.WARNING if metrics.fell_back else Level.NOTICE,
    )


def _configured_mode_text(metrics: RefreshMetrics) -> Text:
    if metrics.mode is RefreshMode.CONCURRENT:
        return Text("Refreshed concurrently, which did not block readers, as SEEDER_REFRESH_CONCURRENTLY=true says.")
    if metrics.fell_back:
        return Text(
            "Refreshed plainly, which blocked readers, although concurrently was configured: the view has no unique"
            " index on plain columns without a WHERE clause, or was never filled."
        )
    return Text("Refreshed plainly, which blocked readers, as SEEDER_REFRESH_CONCURRENTLY=false says.")
