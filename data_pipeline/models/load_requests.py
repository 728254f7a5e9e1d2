"""Requests to workers, and the outbox of refreshes."""

from django.db import models
from django.db.models.functions import MD5, Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from data_pipeline.domain.load_requests import RequestAction, RequestState
from data_pipeline.models.load_log import LoadLog


class LoadRequest(models.Model):
    """A queued load of one artefact, or another action on a load. Messages of the queue carry only its id."""

    id = models.BigAutoField(primary_key=True)
    source_uri = models.TextField(_("source uri"))
    action = models.TextField(default=RequestAction.LOAD, db_default=RequestAction.LOAD)
    options = models.JSONField(default=dict, db_default={})  # the options of `load_file`
    requested_by = models.TextField(_("requested by"))
    state = models.TextField(default=RequestState.QUEUED, db_default=RequestState.QUEUED)
    attempts = models.IntegerField(
        _("attempts"), default=0, db_default=0
    )  # claims that have not given the request back
    worker = models.TextField(_("worker"), null=True)  # host and process of the last claim
    load = models.ForeignKey(LoadLog, models.SET_NULL, null=True)  # that it began, or that the action concerns
    error_message = models.CharField(_("error message"), max_length=1024, null=True)
    error_code = models.TextField(null=True)  # as in `load_log`
    result = models.JSONField(null=True)  # what a dry run has found
    idempotency_key = models.TextField(null=True)  # of the caller, with its user
    dispatched_at = models.DateTimeField(_("dispatched at"), null=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        db_table = "load_request"
        verbose_name = _("load request")
        verbose_name_plural = _("load requests")
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=list(RequestState)), name="load_request_state"),
            models.CheckConstraint(condition=models.Q(action__in=list(RequestAction)), name="load_request_action"),
            models.UniqueConstraint(fields=["idempotency_key"], name="load_request_idempotency_key"),
        )
        indexes = (
            models.Index(fields=["id"], condition=~models.Q(state=RequestState.ENDED), name="load_request_unfinished"),
            models.Index(fields=["id"], condition=models.Q(error_message__isnull=False), name="load_request_failed"),
            models.Index(fields=["requested_by", "load"], name="load_request_requester"),
            # A hash, because an address can be longer than an index allows.
            models.Index(MD5("source_uri"), name="load_request_uri"),
        )

    def __str__(self) -> str:
        return gettext("request %(id)s for %(uri)s") % {"id": self.pk, "uri": self.source_uri}


class LoadRefresh(models.Model):
    """A refresh that a load requests, written in the load's transaction."""

    id = models.BigAutoField(primary_key=True)
    load = models.OneToOneField(LoadLog, models.CASCADE, related_name="refresh")
    relations = models.JSONField()  # the changed tables, as [schema, name]
    created_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)  # by a process that dispatches it
    dispatched_at = models.DateTimeField(null=True)
    request_id = models.TextField(null=True)  # of seeder's queue; null if no view depends on the tables
    views = models.JSONField(null=True)  # the dependent views of enabled manifests, once known

    class Meta:
        db_table = "load_refresh"
        indexes = (
            models.Index(fields=["id"], condition=models.Q(dispatched_at=None), name="load_refresh_undispatched"),
        )

    def __str__(self) -> str:
        return f"refresh after load {self.load_id}"
