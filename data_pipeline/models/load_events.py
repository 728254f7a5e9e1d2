"""The audit of loads. A trigger refuses updates and deletes."""

from django.db import models
from django.db.models.functions import Now


class LoadEvent(models.Model):
    """An event of a load. It has no foreign key, because the audit outlives pruned loads."""

    id = models.BigAutoField(primary_key=True)
    load_id = models.BigIntegerField(null=True, db_index=True)
    event = models.TextField()  # such as loaded, skipped, failed, undone, verified
    actor = models.TextField()  # the user or the process
    facts = models.JSONField(default=dict, db_default={})
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "load_event"

    def __str__(self) -> str:
        return f"{self.event} of load {self.load_id}"
