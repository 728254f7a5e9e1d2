"""The comparison of a run with the one before it, as a short table."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from seeder.services.read_models.previous_run import RunComparison

_MAX_VIEWS = 8  # of each change
_SHORTEST_SHOWN = timedelta(seconds=0.005)  # a shorter duration is written 0.00 s


def comparison_section(comparison: RunComparison | None) -> Mapping[str, Any]:
    """Return the total and the changed views, the largest differences of each change."""
    if comparison is None:
        return {}
    return {
        "comparison": comparison,
        "is_equal": abs(comparison.difference) < _SHORTEST_SHOWN,
        "is_longer": comparison.difference.total_seconds() >= 0,
        "difference": abs(comparison.difference),
        "changes": [
            (change, views[:_MAX_VIEWS], max(len(views) - _MAX_VIEWS, 0))
            for change, views in comparison.changes.items()
        ],
    }
