"""What was pruned, or would be, for people and as a document."""

from collections.abc import Mapping
from datetime import UTC

from seeder.domain.human_format import format_count
from seeder.services.pruning import Pruned


def pruned(done: Pruned, *, seconds: float, dry_run: bool) -> str:
    if done.before is None:
        return "SEEDER_HISTORY_DAYS is 0: all of the history is kept. With --days it can be pruned all the same."
    counted = format_count(done.history, "row"), format_count(done.runs, "run"), format_count(done.queued, "part")
    what = "{} of the history, {} and {} of the queue".format(*counted)
    when = f"that ended before {done.before.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    verb = "Would prune" if dry_run else "Pruned"
    if done.stopped:
        left = done.old - done.kept - done.history
        return (
            f"Stopped by {done.stopped} with {format_count(left, 'row')} left, for the next time. {verb} {what} {when}."
        )
    kept = f"Kept, however old: {format_count(done.kept, 'row')}, each the last success or failure of its report."
    return f"{verb} {what} {when}, in {seconds:.1f} s. {kept}"


def pruned_as_document(done: Pruned, *, seconds: float, dry_run: bool) -> Mapping[str, object]:
    return {
        "dryRun": dry_run,
        "days": done.days,
        "before": done.before and done.before.isoformat(),
        "historyRows": done.history,
        "runs": done.runs,
        "queuedRefreshes": done.queued,
        "keptHistoryRows": done.kept,
        "stopped": done.stopped,
        "durationSeconds": round(seconds, 6),
    }
