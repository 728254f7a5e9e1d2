"""The comparison of a run with the one before it, as a short table."""

from collections.abc import Mapping
from typing import Any

from seeder.services.read_models.previous_run import RunComparison

_MAX_VIEWS = 8  # of each change


def comparison_section(comparison: RunComparison | None) -> Mapping[str, Any]:
    """Return the total and the changed views, the largest differences of each change."""
    if comparison is None:
        return {}
    return {
        "comparison": comparison,
        "is_longer": comparison.difference.total_seconds() >= 0,
        "difference": abs(comparison.difference),
        "changes": [
            (change, views[:_MAX_VIEWS], max(len(views) - _MAX_VIEWS, 0))
            for change, views in comparison.changes.items()
        ],
    }
