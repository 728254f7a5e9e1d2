"""Serializers of queued requests."""

from typing import Any

from rest_framework import serializers

from seeder.api.serializers import UTCDateTimeField
from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPart, QueuedPartState
from seeder.services.queue.request_status import RequestPart, RequestStatus, visible_agencies

_PART_STATES = [*map(str, QueuedPartState)]
_REDACTED_ERROR = "The part ended before it was completely run."


class QueuedPartSerializer(serializers.Serializer[QueuedPart]):
    """One part of a request. Parts share no views and no dependencies."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=_PART_STATES)
    agencies = serializers.SerializerMethodField()
    runIds = serializers.ListField(source="run_ids", child=serializers.CharField())

    def get_agencies(self, part: QueuedPart) -> list[str]:
        return visible_agencies(part.agencies, self.context["visible_agencies"])


class EnqueueResultSerializer(serializers.Serializer[EnqueueResult]):
    """The result of a request to refresh."""

    requestId = serializers.CharField(
        source="request_id", allow_null=True, help_text="null if there is nothing to refresh"
    )
    url = serializers.SerializerMethodField()
    description = serializers.CharField()
    joined = serializers.BooleanField(help_text="true: an earlier request that has not started yet covers this one")
    repeated = serializers.BooleanField(help_text="true: this idempotency key was used before for the same request")
    parts = QueuedPartSerializer(many=True)

    def get_url(self, queued: EnqueueResult) -> str | None:  # noqa: ARG002  # DRF passes it
        url: str | None = self.context["url"]
        return url


class RequestPartStatusSerializer(serializers.Serializer[RequestPart]):
    """The status of one part of a request."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=_PART_STATES)
    agencies = serializers.ListField(child=serializers.CharField())
    runIds = serializers.ListField(source="run_ids", child=serializers.CharField())
    startTime = UTCDateTimeField(source="started", allow_null=True)
    finishTime = UTCDateTimeField(source="finished", allow_null=True)
    succeeded = serializers.IntegerField(
        allow_null=True,
        help_text="number of manifests; null until the part has ended, or if it includes agencies hidden from the user",
    )
    failed = serializers.IntegerField(allow_null=True)
    error = serializers.SerializerMethodField(help_text="why the part ended before it was completely run")

    def get_error(self, part: RequestPart) -> str | None:
        return part.error if self.context["can_see_errors"] else part.error and _REDACTED_ERROR


class RequestStatusSerializer(serializers.Serializer[RequestStatus]):
    """The status of a request and its parts."""

    requestId = serializers.CharField(source="request_id")
    state = serializers.ChoiceField(choices=_PART_STATES)
    description = serializers.CharField()
    requestedBy = serializers.CharField(source="requested_by")
    requestedAt = UTCDateTimeField(source="requested_at")
    parts: Any = RequestPartStatusSerializer(many=True)
