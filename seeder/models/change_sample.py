"""Samples of the rows that refreshes changed. The table is optional."""

from django.db import models
from django.db.models.functions import Now

from seeder.models.history_and_status import RunHistory


class ChangeSample(models.Model):
    """A request for a sample, and the sample in the first history row of the refresh that answered it."""

    id = models.BigAutoField(primary_key=True)
    database_alias = models.TextField()
    table_name = models.TextField()  # as printed from the catalog
    max_rows = models.IntegerField()  # of each kind
    requested_by = models.TextField()
    requested_at = models.DateTimeField(db_default=Now())
    # The database deletes the sample with its history row.
    history = models.ForeignKey(RunHistory, models.DO_NOTHING, null=True, related_name="change_samples")
    run_id = models.TextField(null=True)  # null: it waits for the next refresh
    rows_inserted = models.BigIntegerField(null=True)  # null if the rows could not be compared
    rows_deleted = models.BigIntegerField(null=True)
    rows_updated = models.BigIntegerField(null=True)
    note = models.TextField(null=True)  # a sentence: why the rows could not be compared, or what was left out
    rows = models.JSONField(null=True)  # values of rows; they require a permission to see data

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_change_sample"'
