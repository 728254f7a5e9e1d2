"""What a refresh waited for and what it cost: at most one row for each history row, in a table that may be missing."""

from django.db import models

from seeder.models.history_and_status import RunHistory


class RunMetrics(models.Model):
    """The measurements of one history row. What could not be known is null."""

    # The database deletes it with its history row. Were that Django's to do, deleting history would ask for this table
    # even where there is none.
    history = models.OneToOneField(RunHistory, models.DO_NOTHING, primary_key=True, related_name="metrics")
    mode = models.TextField(null=True)  # plain or concurrent; null for a creation and a failure
    fell_back = models.BooleanField(null=True)
    attempts = models.IntegerField(null=True)
    reason = models.TextField(null=True)  # of a failure, as PostgreSQL calls the condition
    sqlstate = models.TextField(null=True)
    worker_number = models.IntegerField(null=True)  # which of the run's seats in its database, from 1 on
    worker_wait_seconds = models.FloatField(null=True)
    throttle_wait_seconds = models.FloatField(null=True)
    lock_wait_seconds = models.FloatField(null=True)
    # By pg_stat_statements, parallel workers included; blocks are the server's, usually of 8 kB.
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
    # Of the backend itself, without its parallel workers.
    backend_read_bytes = models.BigIntegerField(null=True)
    backend_write_bytes = models.BigIntegerField(null=True)
    backend_wal_bytes = models.BigIntegerField(null=True)
    cpu_seconds = models.FloatField(null=True)
    peak_memory_bytes = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run_metrics"'

    def __str__(self) -> str:
        return f"measurements of history row {self.history_id}"
