"""Runs as a whole, in a table that may be missing."""

from typing import Self

from django.db import models
from django.db.models import Q


class RunQuerySet(models.QuerySet["Run"]):
    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Those with a manifest of one of these agencies; None: of any."""
        return self if slugs is None else self.filter(agencies__has_any_keys=slugs)

    def unfinished(self) -> Self:
        return self.filter(Q(finished_at__isnull=True))


class Run(models.Model):
    """One run: what it was for, and how many manifests ended how."""

    run_id = models.TextField(primary_key=True)
    description = models.TextField()  # in words
    requested_by = models.TextField()  # the command, a schedule, or a user's name
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(null=True)  # a signal, a time limit, or what else ended it before its time
    workers = models.IntegerField()  # in each database
    manifests = models.IntegerField()
    succeeded = models.IntegerField(null=True)  # null until it has ended, as are the failed
    failed = models.IntegerField(null=True)  # those that were interrupted among them
    agencies = models.JSONField()  # {slug: {"manifests": 3, "succeeded": 2, "failed": 1}}
    # [{"database", "reason", "from", "until"}, …]: when nothing might start; until is null where that never ended
    holds = models.JSONField(db_default=models.Value([], models.JSONField()))

    objects = RunQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run"'

    def __str__(self) -> str:
        return f"run {self.run_id} for {self.description}"
