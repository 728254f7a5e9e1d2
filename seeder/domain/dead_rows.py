"""When a view is vacuumed after a refresh.

A concurrent refresh leaves a dead row for each row that it changed or deleted. Measured on PostgreSQL 15 and 18: after
ten refreshes that changed every row, a view without VACUUM had ten times its size, and a scan took 2.5 times as long.
With 5 % changed rows it had 1.6 times its size. Autovacuum alone acts at 20 % dead rows, about a minute later.
"""

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult

_MIN_DEAD_ROWS = 50  # as autovacuum_vacuum_threshold; fewer fit in a few pages


def is_vacuum_due(result: RefreshResult, *, churn_percent: int) -> bool:
    """Return whether a refresh left enough dead rows for a VACUUM. `churn_percent` 0: never."""
    if result.outcome is Outcome.HELD:  # its new rows are dead, and their number is unknown
        return churn_percent > 0 and result.attempts > 0
    dead = result.cost.rows_deleted
    if not churn_percent or result.mode is not RefreshMode.CONCURRENT or dead is None or dead < _MIN_DEAD_ROWS:
        return False
    return result.rows is not None and dead * 100 >= churn_percent * result.rows
