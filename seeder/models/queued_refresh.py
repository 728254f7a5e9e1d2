"""What was asked for and is refreshed by whichever worker gets to it, in a table that may be missing."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class QueuedRefreshQuerySet(models.QuerySet["QueuedRefresh"]):
    def unfinished(self) -> Self:
        return self.exclude(state="ended")

    def not_started(self) -> Self:
        """Those that no worker has ever taken up."""
        return self.filter(state="queued", run_ids=[])

    def with_idempotency_key(self, key: str) -> Self:
        return self.exclude(idempotency_keys={}).filter(idempotency_keys__has_key=key)

    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Those with a manifest of one of these agencies; None: of any."""
        return self if slugs is None else self.filter(agencies__has_any_keys=slugs)


class QueuedRefresh(models.Model):
    """One part of a request: manifests that share no view and no dependency with its other parts. A queue's task
    carries nothing but its id; this row says whether there is anything to do."""

    id = models.BigAutoField(primary_key=True)
    request_id = models.TextField()  # shared by all its parts
    part = models.IntegerField()  # from 1 on
    parts = models.IntegerField()
    description = models.TextField()  # in words
    requested_by = models.TextField()  # the command, a schedule, or a user's name
    requested_at = models.DateTimeField(db_default=Now())
    joined_at = models.DateTimeField(null=True)  # when somebody asked last for what was queued already
    # {key: what was asked for with it}, of who asked first and of who joined: asked again, they get the same answer
    idempotency_keys = models.JSONField(db_default=models.Value({}, models.JSONField()))
    manifests = models.JSONField()  # [[report_type, manifest_id], …]
    views = models.JSONField()  # [[database alias, name], …]
    agencies = models.JSONField()  # [slug, …]
    state = models.TextField(db_default="queued")  # then running, then ended
    run_ids = models.JSONField(db_default=models.Value([], models.JSONField()))  # the latest last
    worker = models.TextField(null=True)  # who has claimed it last: host and process
    dispatched_at = models.DateTimeField(null=True)  # when the queue was last told of it
    started_at = models.DateTimeField(null=True)  # when it was first claimed
    finished_at = models.DateTimeField(null=True)
    succeeded = models.IntegerField(null=True)
    failed = models.IntegerField(null=True)
    error = models.TextField(null=True)  # why it ended without having been run to its end

    objects = QueuedRefreshQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_queued_refresh"'

    def __str__(self) -> str:
        return f"part {self.part} of {self.parts} of {self.description}: {self.state}"
