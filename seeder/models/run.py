"""Runs with their totals. The table is optional."""

from typing import Self

from django.db import models


class RunQuerySet(models.QuerySet["Run"]):
    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Return the runs with manifests of these agencies (None: all)."""
        return self if slugs is None else self.filter(agencies__has_any_keys=slugs)

    def unfinished(self) -> Self:
        return self.filter(finished_at=None)


class Run(models.Model):
    """One run: its request, totals and holds."""

    run_id = models.TextField(primary_key=True)
    description = models.TextField()  # such as "agency demo"
    requested_by = models.TextField()  # a command, a schedule or a user name
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(null=True)  # a signal or a time limit, if it ended early
    cancel_requested_by = models.TextField(null=True)  # of a run outside the queue; a queued part has its own
    workers = models.IntegerField()  # per database
    manifests = models.IntegerField()
    succeeded = models.IntegerField(null=True)  # null until the run has ended
    failed = models.IntegerField(null=True)  # including the interrupted ones
    agencies = models.JSONField()  # {slug: {"manifests": 3, "succeeded": 2, "failed": 1}}
    # [{"database", "reason", "from", "until"}, …]; "until" is null if the hold did not end
    holds = models.JSONField(db_default=models.Value([], models.JSONField()))

    objects = RunQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run"'

    def __str__(self) -> str:
        return f"run {self.run_id} for {self.description}"
