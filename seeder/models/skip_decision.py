"""Decisions whether a refresh was skipped with a proof. The table is optional."""

from django.db import models

from seeder.models.history_and_status import RunHistory


class SkipDecision(models.Model):
    """A decision about one view, in the first history row of its refresh."""

    # The database deletes it with its history row.
    history = models.OneToOneField(RunHistory, models.DO_NOTHING, primary_key=True, related_name="skip_decision")
    database_alias = models.TextField()
    schema_name = models.TextField()
    view_name = models.TextField()
    is_skipped = models.BooleanField()
    reason = models.TextField()  # a sentence
    refreshed_at = models.DateTimeField()  # start of the refresh that the rows of the view are from
    refresh_seconds = models.FloatField()
    view_rows = models.BigIntegerField(null=True)
    view_bytes = models.BigIntegerField()
    activity = models.JSONField()  # written rows of each input by the statistics, before this decision
    proof = models.JSONField(null=True)  # null if the next run cannot skip the view

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_skip_decision"'
