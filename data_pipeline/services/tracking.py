"""Tracks a table: gives each row the id of its load.

So loads can be undone and verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.postgres import target_tables, tracking
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.tracking import TrackingStep
from data_pipeline.services.load_planning import find_table
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracking:
    """What a table needed to be tracked."""

    table: ViewName
    steps: Sequence[TrackingStep]  # empty if it was tracked already


def track_loads(table: str, *, dry_run: bool = False, using: str = DEFAULT_DB_ALIAS) -> Tracking:
    """Add the column `load_id` and its index to a table.

    Nothing changes if it has them. A dry run only returns the statements.

    Rows that are in the table already keep a null. Raises `TargetError`.
    """
    with translate_errors(using):
        target = target_tables.describe(using, find_table(using, table, conf.load()))
        steps = tracking.missing_steps(using, target)
        if steps and not dry_run:
            tracking.run_steps(using, target, steps)
    return Tracking(table=target.name, steps=steps)
