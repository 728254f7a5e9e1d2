"""Freshness contracts of views and agencies. The table is optional."""

from datetime import time, timedelta

from django.db import models


class Freshness(models.Model):
    """A freshness contract. Several can apply to one view."""

    id = models.BigAutoField(primary_key=True)
    table_name = models.TextField(null=True)  # of the view, in any spelling; null for an agency's contract
    agency_slug = models.TextField(null=True)  # for all its views that have no contract of their own
    target_lag = models.DurationField(null=True)  # maximum age of the data; null with a due time
    due_at = models.TimeField(null=True)  # local time
    due_since = models.TimeField(db_default=time())  # the data have to be as of this local time or later
    due_zone = models.TextField(db_default="UTC")
    due_days = models.TextField(db_default="1-7")  # ISO weekdays
    grace = models.DurationField(db_default=timedelta())  # after the deadline
    severity = models.TextField(db_default="error")  # or warn

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_freshness"'
        permissions = (("share_freshness", "Can create links to the freshness of an agency"),)

    def __str__(self) -> str:
        return f"contract {self.pk} of {self.table_name or f'the views of {self.agency_slug}'}"
