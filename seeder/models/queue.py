"""What was asked for and is refreshed by whichever worker gets to it, in a table that may be missing."""

from django.db import models
from django.db.models.functions import Now


class QueuedRefresh(models.Model):
    """One part of a request: manifests that share no view and no dependency with its other parts. A queue's task
    carries nothing but its id; this row says whether there is anything to do."""

    id = models.BigAutoField(primary_key=True)
    request_id = models.TextField()  # shared by all its parts
    part = models.IntegerField()  # from 1 on
    parts = models.IntegerField()
    asked_for = models.TextField()  # in words
    asked_by = models.TextField()  # the command, a schedule, or a user's name
    asked_at = models.DateTimeField(db_default=Now())
    idempotency_key = models.TextField(null=True)  # of who asked; whoever asks again with it gets the same answer
    manifests = models.JSONField()  # [[report_type, manifest_id], …]
    views = models.JSONField()  # [[database alias, name], …]
    agencies = models.JSONField()  # [slug, …]
    state = models.TextField(db_default="queued")  # then running, then ended
    run_ids = models.JSONField(db_default=models.Value([], models.JSONField()))  # the latest last
    worker = models.TextField(null=True)  # who has claimed it last: host and process
    rung_at = models.DateTimeField(null=True)  # when the queue was last told of it
    started_at = models.DateTimeField(null=True)  # when it was first claimed
    finished_at = models.DateTimeField(null=True)
    succeeded = models.IntegerField(null=True)
    failed = models.IntegerField(null=True)
    error = models.TextField(null=True)  # why it ended without having been run to its end

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_queued_refresh"'

    def __str__(self) -> str:
        return f"part {self.part} of {self.parts} of {self.asked_for}: {self.state}"
