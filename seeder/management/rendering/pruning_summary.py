"""What was pruned, or would be, for people and as a document."""

from collections.abc import Mapping
from datetime import UTC

from seeder.domain.human_format import format_count
from seeder.services.history_pruning import PruneResult


def pruning_text(result: PruneResult, *, seconds: float, dry_run: bool) -> str:
    if result.cutoff is None:
        return "SEEDER_HISTORY_DAYS is 0: all of the history is kept. With --days it can be pruned all the same."
    counted = (
        format_count(result.deleted_history, "row"),
        format_count(result.deleted_runs, "run"),
        format_count(result.deleted_parts, "part"),
    )
    deleted_text = "{} of the history, {} and {} of the queue".format(*counted)
    cutoff_text = f"that ended before {result.cutoff.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    verb = "Would prune" if dry_run else "Pruned"
    if result.stopped_by:
        remaining_rows = result.old_rows - result.kept_rows - result.deleted_history
        return (
            f"Stopped by {result.stopped_by} with {format_count(remaining_rows, 'row')} left, for the next time."
            f" {verb} {deleted_text} {cutoff_text}."
        )
    kept_text = (
        f"Kept, however old: {format_count(result.kept_rows, 'row')}, each the last success or failure of its report."
    )
    return f"{verb} {deleted_text} {cutoff_text}, in {seconds:.1f} s. {kept_text}"


def pruning_json(result: PruneResult, *, seconds: float, dry_run: bool) -> Mapping[str, object]:
    return {
        "dryRun": dry_run,
        "days": result.days,
        "before": result.cutoff and result.cutoff.isoformat(),
        "historyRows": result.deleted_history,
        "runs": result.deleted_runs,
        "queuedRefreshes": result.deleted_parts,
        "keptHistoryRows": result.kept_rows,
        "stopped": result.stopped_by,
        "durationSeconds": round(seconds, 6),
    }
