"""Waits and costs of refreshes, at most one row for each history row. The table is optional."""

from typing import Self

from django.db import models

from seeder.models.history_and_status import RunHistory


class RunMetricsQuerySet(models.QuerySet["RunMetrics"]):
    def of_rows(self, first: int, last: int) -> Self:
        """Return the metrics of the history rows between two ids.

        The rows of a run are inserted together, so that such a range selects them. A join would read the metrics of all
        runs.
        """
        return self.filter(history_id__gte=first, history_id__lte=last)


class RunMetrics(models.Model):
    """Waits and costs of the refresh in one history row. Null is unknown. The table is optional."""

    # The database deletes it with its history row. If Django did, deleting history would require this table.
    history = models.OneToOneField(RunHistory, models.DO_NOTHING, primary_key=True, related_name="metrics")
    mode = models.TextField(null=True)  # plain or concurrent; null for a creation and a failure
    mode_reason = models.TextField(null=True)  # a sentence, if the mode was chosen by measurement
    fell_back = models.BooleanField(null=True)
    attempts = models.IntegerField(null=True)
    reason = models.TextField(null=True)  # of a failure: PostgreSQL's condition name
    sqlstate = models.TextField(null=True)
    worker_number = models.IntegerField(null=True)  # within its database, from 1
    worker_wait_seconds = models.FloatField(null=True)
    throttle_wait_seconds = models.FloatField(null=True)
    lock_wait_seconds = models.FloatField(null=True)
    # From pg_stat_statements, with parallel workers. A block usually has 8 kB.
    statement_calls = models.BigIntegerField(null=True)
    statement_total_ms = models.FloatField(null=True)
    statement_mean_ms = models.FloatField(null=True)
    statement_rows = models.BigIntegerField(null=True)
    shared_blocks_hit = models.BigIntegerField(null=True)
    shared_blocks_read = models.BigIntegerField(null=True)
    shared_blocks_dirtied = models.BigIntegerField(null=True)
    shared_blocks_written = models.BigIntegerField(null=True)
    temp_blocks_read = models.BigIntegerField(null=True)
    temp_blocks_written = models.BigIntegerField(null=True)
    statement_wal_bytes = models.BigIntegerField(null=True)
    # Of the backend, without parallel workers.
    backend_read_bytes = models.BigIntegerField(null=True)
    backend_write_bytes = models.BigIntegerField(null=True)
    backend_wal_bytes = models.BigIntegerField(null=True)
    cpu_seconds = models.FloatField(null=True)
    peak_memory_bytes = models.BigIntegerField(null=True)
    # Counted by PostgreSQL in the transaction of the refresh.
    rows_inserted = models.BigIntegerField(null=True)
    rows_deleted = models.BigIntegerField(null=True)
    vacuum_seconds = models.FloatField(null=True)  # of VACUUM after the refresh
    notes = models.TextField(null=True)  # one on each line
    snapshot = models.TextField(null=True)  # pg_snapshot just before the refresh; the view contains its transactions
    consistent_group = models.TextField(null=True)  # with which the view was refreshed; null if alone

    objects = RunMetricsQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run_metrics"'
