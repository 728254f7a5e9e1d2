"""What is queued, as it is answered."""

from typing import Any

from rest_framework import serializers

from seeder.api.serializers import UTCDateTimeField
from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPart, QueuedPartState
from seeder.services.queue.request_status import RequestPart, RequestStatus, visible_agencies

_PART_STATES = [*map(str, QueuedPartState)]
_REDACTED_ERROR = "It ended without having been run to its end."


class QueuedPartSerializer(serializers.Serializer[QueuedPart]):
    """One part of a request: it shares no view and no dependency with the others."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=_PART_STATES)
    agencies = serializers.SerializerMethodField()
    runIds = serializers.ListField(source="run_ids", child=serializers.CharField())

    def get_agencies(self, part: QueuedPart) -> list[str]:
        return visible_agencies(part.agencies, self.context["visible_agencies"])


class EnqueueResultSerializer(serializers.Serializer[EnqueueResult]):
    """What came of asking."""

    requestId = serializers.CharField(
        source="request_id", allow_null=True, help_text="null where there is nothing to refresh"
    )
    url = serializers.SerializerMethodField()
    description = serializers.CharField()
    joined = serializers.BooleanField(help_text="an earlier request, which is queued, will do as well")
    repeated = serializers.BooleanField(help_text="this was asked before, with the same idempotency key")
    parts = QueuedPartSerializer(many=True)

    def get_url(self, queued: EnqueueResult) -> str | None:  # noqa: ARG002  # it comes beside what is queued
        url: str | None = self.context["url"]
        return url


class RequestPartStatusSerializer(serializers.Serializer[RequestPart]):
    """How far one part has come."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=_PART_STATES)
    agencies = serializers.ListField(child=serializers.CharField())
    runIds = serializers.ListField(source="run_ids", child=serializers.CharField())
    startTime = UTCDateTimeField(source="started", allow_null=True)
    finishTime = UTCDateTimeField(source="finished", allow_null=True)
    succeeded = serializers.IntegerField(
        allow_null=True, help_text="manifests; null until it has ended, and where some are other agencies'"
    )
    failed = serializers.IntegerField(allow_null=True)
    error = serializers.SerializerMethodField(help_text="why it ended without having been run to its end")

    def get_error(self, part: RequestPart) -> str | None:
        return part.error if self.context["can_see_errors"] else part.error and _REDACTED_ERROR


class RequestStatusSerializer(serializers.Serializer[RequestStatus]):
    """How far a request has come."""

    requestId = serializers.CharField(source="request_id")
    state = serializers.ChoiceField(choices=_PART_STATES)
    description = serializers.CharField()
    requestedBy = serializers.CharField(source="requested_by")
    requestedAt = UTCDateTimeField(source="requested_at")
    parts: Any = RequestPartStatusSerializer(many=True)
