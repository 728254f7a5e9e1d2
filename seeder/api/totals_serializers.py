"""Descriptions of totals for the OpenAPI schema: agencies, and the document for dashboards."""

from typing import Any

from rest_framework import serializers

from seeder.api.document_serializers import RunSerializer
from seeder.domain.admission_types import HoldReason
from seeder.domain.monitoring.health_status import ComponentStatus

_QUEUE_STATUSES = [*map(str, (ComponentStatus.OK, ComponentStatus.ABSENT, ComponentStatus.UNUSABLE))]
_WORKER_STATUSES = [
    *map(str, (ComponentStatus.WORKING, ComponentStatus.IDLE, ComponentStatus.STALLED, ComponentStatus.UNKNOWN))
]


class StatusCountsSerializer(serializers.Serializer[Any]):
    """Numbers of manifests by the status of their views."""

    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    success = serializers.IntegerField()
    error = serializers.IntegerField()
    neverRun = serializers.IntegerField()


class JobTotalsSerializer(serializers.Serializer[Any]):
    """Totals of enabled manifests. A manifest can be of several kinds."""

    manifests = serializers.IntegerField()
    views = serializers.IntegerField(help_text="distinct views of the manifests")
    failing = serializers.IntegerField()
    stale = serializers.IntegerField()
    longRunning = serializers.IntegerField()
    lastSuccess = serializers.DateTimeField(allow_null=True, help_text="start of the latest successful refresh")
    statuses = StatusCountsSerializer()


class AgencySerializer(JobTotalsSerializer):
    """An agency with the totals of its jobs."""

    slug = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()


class RunActivitySerializer(serializers.Serializer[Any]):
    """Runs that the user may see."""

    running = serializers.IntegerField()
    last = RunSerializer(allow_null=True, help_text="the run that started last")


class QueueActivitySerializer(serializers.Serializer[Any]):
    """The queue, and the open parts that the user may see."""

    status = serializers.ChoiceField(choices=_QUEUE_STATUSES)
    workers = serializers.ChoiceField(
        choices=_WORKER_STATUSES,
        help_text="working: a worker runs a part; stalled: a part has waited for long and none works",
    )
    queuedParts = serializers.IntegerField()
    runningParts = serializers.IntegerField()
    oldestRequest = serializers.DateTimeField(allow_null=True, help_text="of the queued parts")
    waitingTasks = serializers.IntegerField(
        allow_null=True, help_text="tasks of any kind that no worker has taken; null unless the user sees all agencies"
    )


class PauseSerializer(serializers.Serializer[Any]):
    """An interval in which no refresh starts in a database."""

    database = serializers.CharField()
    reason = serializers.ChoiceField(choices=[*map(str, HoldReason)])
    since = serializers.DateTimeField()


class TotalsSerializer(serializers.Serializer[Any]):
    """Totals for a dashboard."""

    jobs = JobTotalsSerializer()
    runs = RunActivitySerializer(allow_null=True, help_text="null without permission or without the table of runs")
    queue = QueueActivitySerializer(allow_null=True, help_text="null without permission")
    paused = PauseSerializer(many=True, help_text="open circuit breakers, and throttles of runs that are alive")
