"""Replaces a table by a partitioned one, or shows how."""

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.partition_errors import PartitioningOff
from data_pipeline.postgres import partition_runs, partitioning, target_tables
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.partitioning import PartitionPlan
from data_pipeline.services.load_planning import find_table
from data_pipeline.services.transaction_guards import require_own_transaction
from seeder.postgres.transactions import atomic, rolled_back_atomic


def partition_table(  # noqa: PLR0913  # options of one command
    table: str, *, column: str, every: str, ahead: int, apply: bool = False, using: str = DEFAULT_DB_ALIAS
) -> PartitionPlan:
    """Partition a table by the days, months or years of a column. Without `apply`, return the statements only.

    Raises `PartitioningOff`, `TargetError` or `DatabaseError`; then nothing has changed.
    """
    settings = conf.load()
    if not settings.returns_partition_scaffold:
        raise PartitioningOff
    require_own_transaction(using, "partition_table")
    transaction = atomic(using, durable=True) if apply else rolled_back_atomic(using)
    with translate_errors(using), transaction:
        target = target_tables.describe(using, find_table(using, table, settings))
        if apply:
            partition_runs.lock(using, target.name, partitioning.lock_step(target))
            target = target_tables.describe(using, target.name)  # as it is under the lock
        plan = partitioning.plan(using, target, column=column, every=every, ahead=ahead)
        if apply:
            partition_runs.run(using, plan)
    return plan
