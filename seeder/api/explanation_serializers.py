"""Description of the explanation of a view for the OpenAPI schema, and its query parameters."""

from typing import Any

from rest_framework import serializers

from seeder.api.document_serializers import GroupSerializer, Int64Field, ManifestFields
from seeder.api.input_serializers import StrictInputSerializer
from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.explanation.facts import Level, Topic
from seeder.domain.freshness.contract import ContractSeverity
from seeder.domain.freshness.data_age import UnknownAge
from seeder.domain.freshness.states import FreshnessState, LateCause
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Status
from seeder.domain.plan import PlannedAction
from seeder.domain.skip_decision import SkipAction


class ExplanationQuerySerializer(StrictInputSerializer):
    database = serializers.CharField(
        required=False,
        max_length=100,
        help_text="database of the view (default: the first one that has a view of this name)",
    )


class DecisionSerializer(serializers.Serializer[Any]):
    """One decision."""

    topic = serializers.ChoiceField(choices=[*Topic])
    level = serializers.ChoiceField(choices=[*Level], help_text="how much attention it needs")
    text = serializers.CharField(help_text="a sentence with figures")


class ExplainedManifestSerializer(ManifestFields):
    """An enabled manifest of the view."""


class RefreshMetricsSerializer(serializers.Serializer[Any]):
    """Mode, waits and changes of a refresh. Null is unknown."""

    mode = serializers.ChoiceField(choices=[*RefreshMode], allow_null=True, help_text="null if the view was created")
    modeReason = serializers.CharField(allow_null=True, help_text="if the mode was chosen by measurement")
    fellBack = serializers.BooleanField(help_text="plain, although concurrent was configured")
    attempts = serializers.IntegerField(allow_null=True)
    rowsInserted = Int64Field(allow_null=True)
    rowsDeleted = Int64Field(allow_null=True)
    workerWaitSeconds = serializers.FloatField(allow_null=True)
    throttleWaitSeconds = serializers.FloatField(allow_null=True)
    lockWaitSeconds = serializers.FloatField(allow_null=True)


class ExplainedRefreshSerializer(serializers.Serializer[Any]):
    """A refresh of the view in a run."""

    runId = serializers.CharField()
    description = serializers.CharField(allow_null=True, help_text="of its run; requires seeder.view_run")
    requestedBy = serializers.CharField(allow_null=True, help_text="requires seeder.view_run")
    skipReason = serializers.CharField(allow_null=True, help_text="null unless it was skipped")
    status = serializers.ChoiceField(choices=[*Status])
    startTime = serializers.DateTimeField()
    finishTime = serializers.DateTimeField(allow_null=True)
    durationSeconds = serializers.FloatField(allow_null=True)
    recordsProcessed = Int64Field(allow_null=True)
    bytesProcessed = Int64Field(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    sqlstate = serializers.CharField(allow_null=True)
    errors = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # DRF moves fields out of the class
    notes = serializers.ListField(child=serializers.CharField(), help_text="requires seeder.view_errors")
    group = GroupSerializer(allow_null=True, help_text="of the last refresh that ended; null if it was refreshed alone")
    metrics = RefreshMetricsSerializer(allow_null=True, help_text="null if they are not recorded")


class ExplainedCheckSerializer(serializers.Serializer[Any]):
    """The result of a data check in the last refresh that ended."""

    name = serializers.CharField()
    kind = serializers.CharField()
    severity = serializers.ChoiceField(choices=[*CheckSeverity])
    outcome = serializers.ChoiceField(choices=[*CheckOutcome])
    figures = serializers.DictField()
    sqlstate = serializers.CharField(allow_null=True)
    text = serializers.CharField(help_text="figures and bounds")


class ExplainedWaiverSerializer(serializers.Serializer[Any]):
    """A waiver that the next refresh can use."""

    check = serializers.CharField()
    figures = serializers.DictField(help_text="the next refresh must not be worse")
    sqlstate = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    grantedBy = serializers.CharField()
    grantedAt = serializers.DateTimeField()
    expiresAt = serializers.DateTimeField(allow_null=True)


class ExplainedContractSerializer(serializers.Serializer[Any]):
    """A freshness contract of the view."""

    contractId = Int64Field()
    contract = serializers.CharField()
    severity = serializers.ChoiceField(choices=[*ContractSeverity])
    state = serializers.ChoiceField(choices=[*FreshnessState])
    cause = serializers.ChoiceField(choices=[*LateCause], allow_null=True)
    deadline = serializers.DateTimeField(allow_null=True)


class RelatedViewSerializer(serializers.Serializer[Any]):
    """A view that the explained one reads, or that reads it."""

    view = serializers.CharField()
    database = serializers.CharField()
    listed = serializers.BooleanField(help_text="an enabled manifest has it, so runs refresh it")
    status = serializers.ChoiceField(choices=[*Status], allow_null=True)
    failing = serializers.BooleanField()
    held = serializers.BooleanField()
    lastSuccess = serializers.DateTimeField(allow_null=True)
    dataAsOf = serializers.DateTimeField(allow_null=True)
    dataAsOfUnknown = serializers.ChoiceField(choices=[*UnknownAge], allow_null=True)


class PlannedStepSerializer(serializers.Serializer[Any]):
    """A view of the plan."""

    view = serializers.CharField()
    database = serializers.CharField()
    action = serializers.ChoiceField(choices=[*PlannedAction])
    after = serializers.ListField(child=serializers.CharField())
    expectedDurationSeconds = serializers.FloatField(allow_null=True)


class ContractOutlookSerializer(serializers.Serializer[Any]):
    """The state of a contract after a refresh that starts now."""

    contract = serializers.CharField()
    alone = serializers.ChoiceField(choices=[*FreshnessState], help_text="after a refresh of the view alone")
    together = serializers.ChoiceField(choices=[*FreshnessState], help_text="after one of all views that it reads")


class ExpectedModeSerializer(serializers.Serializer[Any]):
    """The mode of a refresh that starts now."""

    mode = serializers.ChoiceField(choices=[*RefreshMode])
    reason = serializers.CharField(allow_null=True)


class ExpectedSkipSerializer(serializers.Serializer[Any]):
    """If a refresh that starts now may be skipped."""

    action = serializers.ChoiceField(choices=[*SkipAction], help_text="verify: skipped if its proof holds")
    reason = serializers.CharField()


class OutlookSerializer(serializers.Serializer[Any]):
    """What a refresh of the view now would do."""

    decisions = DecisionSerializer(many=True)
    problem = serializers.CharField(allow_null=True, help_text="why there is no plan")
    action = serializers.ChoiceField(choices=[*PlannedAction], allow_null=True)
    expectedDurationSeconds = serializers.FloatField(allow_null=True, help_text="as the last success")
    mode = ExpectedModeSerializer(allow_null=True, help_text="null if the view would be created")
    skip = ExpectedSkipSerializer(allow_null=True, help_text="null without the table of skip decisions")
    concurrentRefused = serializers.BooleanField(help_text="PostgreSQL would refuse a concurrent refresh")
    plan = PlannedStepSerializer(many=True, help_text="the views that it reads, and the view itself at the end")
    hiddenSteps = serializers.IntegerField(help_text="views of hidden agencies that it reads")
    checks = serializers.IntegerField(help_text="data checks that decide if its new rows are published")
    activeQueries = serializers.IntegerField(allow_null=True, help_text="null without a throttle")
    nextTrialAt = serializers.DateTimeField(allow_null=True, help_text="null if the circuit breaker is closed")
    blockingSessions = serializers.IntegerField(help_text="sessions whose locks it would wait for")
    contracts = ContractOutlookSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a view is in its state, and what a refresh now would do."""

    view = serializers.CharField()
    database = serializers.CharField()
    exists = serializers.BooleanField()
    at = serializers.DateTimeField(help_text="the database's time")
    decisions = DecisionSerializer(many=True, help_text="one for each stored decision")
    manifests = ExplainedManifestSerializer(many=True, help_text="enabled ones, limited to visible agencies")
    failing = serializers.BooleanField()
    lastSuccess = serializers.DateTimeField(allow_null=True)
    usualDurationSeconds = serializers.FloatField(allow_null=True)
    dataAsOf = serializers.DateTimeField(allow_null=True)
    dataAsOfUnknown = serializers.ChoiceField(choices=[*UnknownAge], allow_null=True)
    lastRefresh = ExplainedRefreshSerializer(allow_null=True, help_text="also one that has not ended")
    lastEnded = ExplainedRefreshSerializer(allow_null=True)
    checks = ExplainedCheckSerializer(many=True)
    waivers = ExplainedWaiverSerializer(many=True)
    contracts = ExplainedContractSerializer(many=True)
    dependsOn = RelatedViewSerializer(many=True, help_text="materialized views that it reads directly")
    dependents = RelatedViewSerializer(many=True, help_text="views that read it directly")
    now = OutlookSerializer(help_text="what a refresh now would do")
    tables = serializers.ListField(child=serializers.CharField(), help_text="tables that it reads")
    hiddenViews = serializers.IntegerField(help_text="views of hidden agencies that it reads")
    hiddenDependents = serializers.IntegerField()
    furtherDependents = serializers.IntegerField(help_text="views that read it through others")
