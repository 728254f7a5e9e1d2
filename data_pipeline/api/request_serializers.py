"""Descriptions of the documents of requests for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from data_pipeline.domain.load_requests import RequestAction, RequestStatus
from seeder.api.document_serializers import Int64Field


class RequestSerializer(serializers.Serializer[Any]):
    """A request to a worker of the queue."""

    requestId = Int64Field()
    action = serializers.ChoiceField(choices=[*RequestAction])
    status = serializers.ChoiceField(
        choices=[*RequestStatus], help_text="`lost`: its worker has ended, so it is queued again"
    )
    loadId = Int64Field(allow_null=True, help_text="load that it began, or that the action concerns; null until then")
    sourceUri = serializers.CharField(help_text="address of the file")
    label = serializers.CharField(  # type: ignore[assignment]  # DRF moves fields out of the class
        allow_null=True, help_text="name of the uploaded file at the client"
    )
    requestedBy = serializers.CharField(help_text="name of the user or the command")
    worker = serializers.CharField(allow_null=True, help_text="host and process of the last attempt")
    attempts = serializers.IntegerField()
    nextStep = serializers.CharField(help_text="what to do next")
    errorCode = serializers.CharField(allow_null=True, help_text="SQLSTATE, or a word, of why it failed")
    errorMessage = serializers.CharField(
        allow_null=True, help_text="why it failed; can quote the file, so it requires `data_pipeline.see_raw`"
    )
    result = serializers.DictField(
        allow_null=True,
        help_text="what a dry run has found; values of rejects and messages require `data_pipeline.see_raw`",
    )
    requestedAt = serializers.DateTimeField()
    finishedAt = serializers.DateTimeField(allow_null=True)


class QueuedRequestSerializer(serializers.Serializer[Any]):
    """A queued request, perhaps an earlier one with this idempotency key."""

    requestId = Int64Field()
    status = serializers.ChoiceField(choices=[*RequestStatus], help_text="`queued`, unless it is repeated")
    loadId = Int64Field(allow_null=True, help_text="load that it began, or that the action concerns; null until then")
    repeated = serializers.BooleanField(help_text="true: this idempotency key was used before for the same request")
    url = serializers.CharField(help_text="URL of its state, also in the header `Location`")
