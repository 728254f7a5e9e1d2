"""Runs with their totals. The table is optional."""

from typing import Self

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RunQuerySet(models.QuerySet["Run"]):
    def of_agencies(self, slugs: list[str] | None) -> Self:
        """Return the runs with manifests of these agencies (None: all)."""
        return self if slugs is None else self.filter(agencies__has_any_keys=slugs)

    def unfinished(self) -> Self:
        return self.filter(finished_at=None)


class Run(models.Model):
    """One run: its request, totals and holds."""

    run_id = models.TextField(_("run id"), primary_key=True)
    description = models.TextField(_("description"))  # such as "agency demo"
    requested_by = models.TextField(_("requested by"))  # a command, a schedule or a user name
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    stopped_by = models.TextField(_("stopped by"), null=True)  # a signal or a time limit, if it ended early
    cancel_requested_by = models.TextField(null=True)  # of a run outside the queue; a queued part has its own
    workers = models.IntegerField(_("workers"))  # per database
    manifests = models.IntegerField(_("manifests"))
    succeeded = models.IntegerField(_("succeeded"), null=True)  # null until the run has ended
    failed = models.IntegerField(_("failed"), null=True)  # including the held ones
    held = models.IntegerField(_("held"), null=True)
    interrupted = models.IntegerField(_("interrupted"), null=True)
    agencies = models.JSONField(_("agencies"))  # {slug: {"manifests": 3, …}} with these counts of each
    # [{"database", "reason", "from", "until"}, …]; "until" is null if the hold did not end
    holds = models.JSONField(db_default=models.Value([], models.JSONField()))
    # {database: whether views used parallel query while all its workers were busy}; without databases that were not
    parallel_query = models.JSONField(db_default=models.Value({}, models.JSONField()))

    objects = RunQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_run"'
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return gettext("run %(id)s for %(request)s") % {"id": self.run_id, "request": self.description}
