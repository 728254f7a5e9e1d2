"""Descriptions of queued requests for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from seeder.domain.queue.queued_requests import QueuedPartState


class QueuedPartSerializer(serializers.Serializer[Any]):
    """One part of a request. Parts share no views and no dependencies."""

    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=[*QueuedPartState])
    agencies = serializers.ListField(child=serializers.CharField())
    runIds = serializers.ListField(child=serializers.CharField())


class EnqueueResultSerializer(serializers.Serializer[Any]):
    """The result of a request to refresh."""

    requestId = serializers.CharField(allow_null=True, help_text="null if there is nothing to refresh")
    url = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    joined = serializers.BooleanField(help_text="true: an earlier request that has not started yet covers this one")
    repeated = serializers.BooleanField(help_text="true: this idempotency key was used before for the same request")
    parts = QueuedPartSerializer(many=True)


class RequestPartStatusSerializer(QueuedPartSerializer):
    """The status of one part of a request."""

    startTime = serializers.DateTimeField(allow_null=True)
    finishTime = serializers.DateTimeField(allow_null=True)
    succeeded = serializers.IntegerField(
        allow_null=True,
        help_text="number of manifests; null until the part has ended, or if it includes agencies hidden from the user",
    )
    failed = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="why the part ended before it was completely run")
    cancelRequestedAt = serializers.DateTimeField(
        allow_null=True, help_text="the worker of a running part stops within seconds of this time"
    )
    cancelRequestedBy = serializers.CharField(allow_null=True)


class RequestStatusSerializer(serializers.Serializer[Any]):
    """The status of a request and its parts."""

    requestId = serializers.CharField()
    status = serializers.ChoiceField(choices=[*QueuedPartState])
    description = serializers.CharField()
    requestedBy = serializers.CharField()
    requestedAt = serializers.DateTimeField()
    parts = RequestPartStatusSerializer(many=True)


class CancelResultSerializer(RequestStatusSerializer):
    """The status of a request after its cancellation."""

    url = serializers.CharField()
