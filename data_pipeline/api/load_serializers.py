"""Descriptions of the documents of loads for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.refresh_dispatches import RefreshOutcome
from data_pipeline.services.possible_actions import ActionName
from seeder.api.document_serializers import Int64Field
from seeder.domain.queue.queued_requests import QueuedPartState


class LoadSerializer(serializers.Serializer[Any]):
    """A load and its state."""

    loadId = Int64Field()
    source = serializers.CharField(help_text="such as `ingest.load_file`, or the name of a connector")  # type: ignore[assignment]
    status = serializers.ChoiceField(
        choices=[*LoadStatus], help_text="`skipped`: loaded, and given again later; `failed` with `undoneAt`: undone"
    )
    table = serializers.CharField(allow_null=True, help_text="with its schema; null if it is unknown")
    sourceUri = serializers.CharField(allow_null=True, help_text="address of the file")
    attempts = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    durationSeconds = serializers.FloatField(allow_null=True, help_text="null until it ends")
    rowsIn = Int64Field(allow_null=True, help_text="records of the file, without the header")
    rowsInserted = Int64Field(allow_null=True)
    rowsUpdated = Int64Field(allow_null=True)
    rowsUnchanged = Int64Field(allow_null=True)
    rowsDeleted = Int64Field(allow_null=True)
    rowsRejected = Int64Field(allow_null=True)
    errorCode = serializers.CharField(allow_null=True, help_text="SQLSTATE, or the name of the error")
    errorMessage = serializers.CharField(
        allow_null=True, help_text="can quote the file; without `data_pipeline.see_raw`, the words of the code"
    )
    undoneAt = serializers.DateTimeField(allow_null=True)
    processedBy = serializers.CharField(allow_null=True, help_text="host and process")
    stuck = serializers.BooleanField(help_text="pending, but its process or connection has ended")
    failing = serializers.BooleanField(help_text="failed, and neither undone, dismissed nor repeated with success")


class ProblemCountSerializer(serializers.Serializer[Any]):
    """A kind of problem of rejected records."""

    column = serializers.CharField(allow_null=True, help_text="null for records as a whole")
    sqlstate = serializers.CharField()
    condition = serializers.CharField(help_text="name of the SQLSTATE, such as `not_null_violation`")
    records = serializers.IntegerField()


class RejectCountsSerializer(serializers.Serializer[Any]):
    """Kept rejects in each state."""

    open = serializers.IntegerField()
    replayed = serializers.IntegerField()
    dismissed = serializers.IntegerField()


class RequestedRefreshSerializer(serializers.Serializer[Any]):
    """The refresh of the dependent views that a load requested."""

    status = serializers.ChoiceField(
        choices=[*QueuedPartState, RefreshOutcome.REFRESHED, RefreshOutcome.UNNEEDED, RefreshOutcome.UNDISPATCHED],
        help_text="`undispatched`: the next rescue of the queue tries again; `unneeded`: no view depends on the table",
    )
    requestId = serializers.CharField(allow_null=True, help_text="of the queue of refreshes")
    views = serializers.ListField(child=serializers.CharField(), help_text="limited to visible ones")
    requestedAt = serializers.DateTimeField()
    dispatchedAt = serializers.DateTimeField(allow_null=True)


class LoadEventSerializer(serializers.Serializer[Any]):
    """An event of the audit, such as `loaded`, `undone` or `verified`."""

    event = serializers.CharField()
    actor = serializers.CharField(help_text="the user or the process")
    at = serializers.DateTimeField()
    facts = serializers.DictField()


class LoadDetailSerializer(LoadSerializer):
    """Everything that is known of a load."""

    succeededAt = serializers.DateTimeField(allow_null=True)
    dismissedAt = serializers.DateTimeField(allow_null=True, help_text="when its failure was dismissed")
    taskId = serializers.CharField(allow_null=True, help_text="the request, or the task of a connector")
    contentBlake2b = serializers.CharField(allow_null=True, help_text="hash of the content of the file")
    ofLoad = Int64Field(allow_null=True, help_text="the load that this one repeats or corrects")
    replayedBy = serializers.ListField(child=Int64Field(), help_text="loads of its corrected rejects")
    metadata = serializers.DictField(help_text="fingerprint of the file and facts of the load, without secrets")
    rejectCounts = RejectCountsSerializer()
    problems = ProblemCountSerializer(many=True, help_text="of kept rejects, the most frequent 50")
    refresh = RequestedRefreshSerializer(allow_null=True, help_text="null if no row changed")
    events = LoadEventSerializer(many=True, help_text="the last 200, oldest first")
    actions = serializers.ListField(
        child=serializers.ChoiceField(choices=[*ActionName]), help_text="that the user may do now"
    )
