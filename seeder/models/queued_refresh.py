"""Queued parts of requests, in an optional table."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now

from seeder.domain.manifests import ManifestKey, ReportType, ViewKey
from seeder.domain.view_names import ViewName


class QueuedRefreshQuerySet(models.QuerySet["QueuedRefresh"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=("queued", "running"))

    def finished(self) -> Self:
        return self.filter(state__in=("ended", "cancelled"))

    def not_started(self) -> Self:
        """Parts that no worker has ever claimed."""
        return self.filter(state="queued", run_ids=[])

    def with_idempotency_key(self, key: str) -> Self:
        return self.exclude(idempotency_keys={}).filter(idempotency_keys__has_key=key)

    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Parts with a manifest of one of these agencies, or all parts if None."""
        return self if slugs is None else self.filter(agencies__has_any_keys=slugs)


class QueuedRefresh(models.Model):
    """One part of a request: manifests that share no view and no dependency with its other parts.

    A task of the queue has only its id. The row says whether anything is left to do.
    """

    id = models.BigAutoField(primary_key=True)
    request_id = models.TextField()  # shared by all its parts
    part = models.IntegerField()  # from 1
    parts = models.IntegerField()  # of the request
    description = models.TextField()  # in words
    requested_by = models.TextField()  # a command, a schedule or a user
    requested_at = models.DateTimeField(db_default=Now())
    joined_at = models.DateTimeField(null=True)  # the latest request that joined this one
    # {key: description of the request}, of the first request and of those that joined it
    idempotency_keys = models.JSONField(db_default=models.Value({}, models.JSONField()))
    manifests = models.JSONField()  # [[report_type, manifest_id], …]
    views = models.JSONField()  # [[database alias, name], …], most urgent first
    agencies = models.JSONField()  # [slug, …]
    is_forced = models.BooleanField(db_default=False)  # its views are refreshed even if their inputs are unchanged
    state = models.TextField(db_default="queued")  # then running, then ended or cancelled
    run_ids = models.JSONField(db_default=models.Value([], models.JSONField()))  # latest last
    worker = models.TextField(null=True)  # host:pid of the latest worker
    dispatched_at = models.DateTimeField(null=True)  # the latest message to the queue
    started_at = models.DateTimeField(null=True)  # the first claim
    finished_at = models.DateTimeField(null=True)
    succeeded = models.IntegerField(null=True)  # manifests
    failed = models.IntegerField(null=True)
    error = models.TextField(null=True)  # why it ended before all views were refreshed
    cancel_requested_at = models.DateTimeField(null=True)  # a worker that runs the part stops soon after
    cancel_requested_by = models.TextField(null=True)  # a command or a user

    # Set by the overview of the queue, like annotations of a query.
    is_worker_alive: bool  # of a running part; a part without a worker is rescued soon
    done: int  # number of views that ended in a run of this part

    objects = QueuedRefreshQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_queued_refresh"'

    def __str__(self) -> str:
        return f"part {self.part} of {self.parts} of {self.description}: {self.state}"

    @property
    def manifest_keys(self) -> frozenset[ManifestKey]:
        return frozenset((ReportType(kind), number) for kind, number in self.manifests)

    @property
    def view_keys(self) -> list[ViewKey]:
        return [ViewKey(database=database, name=ViewName.parse(name)) for database, name in self.views]

    @property
    def last_requested_at(self) -> datetime:
        """The time of the latest request. An older refresh does not satisfy it."""
        return max(filter(None, (self.requested_at, self.joined_at)))
