"""What was pruned, or would be, for people and as a document."""

from collections.abc import Mapping
from datetime import UTC

from seeder.domain.human_format import format_count
from seeder.services.pruning import Pruned


def pruning_text(result: Pruned, *, seconds: float, dry_run: bool) -> str:
    if result.before is None:
        return "SEEDER_HISTORY_DAYS is 0: all of the history is kept. With --days it can be pruned all the same."
    counted = format_count(result.history, "row"), format_count(result.runs, "run"), format_count(result.queued, "part")
    deleted_text = "{} of the history, {} and {} of the queue".format(*counted)
    cutoff_text = f"that ended before {result.before.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    verb = "Would prune" if dry_run else "Pruned"
    if result.stopped:
        remaining_rows = result.old - result.kept - result.history
        return (
            f"Stopped by {result.stopped} with {format_count(remaining_rows, 'row')} left, for the next time."
            f" {verb} {deleted_text} {cutoff_text}."
        )
    kept_text = (
        f"Kept, however old: {format_count(result.kept, 'row')}, each the last success or failure of its report."
    )
    return f"{verb} {deleted_text} {cutoff_text}, in {seconds:.1f} s. {kept_text}"


def pruning_json(result: Pruned, *, seconds: float, dry_run: bool) -> Mapping[str, object]:
    return {
        "dryRun": dry_run,
        "days": result.days,
        "before": result.before and result.before.isoformat(),
        "historyRows": result.history,
        "runs": result.runs,
        "queuedRefreshes": result.queued,
        "keptHistoryRows": result.kept,
        "stopped": result.stopped,
        "durationSeconds": round(seconds, 6),
    }
