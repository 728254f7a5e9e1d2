"""Words for states, outcomes, modes and actions, of which the enumerations have the machine words."""

from collections.abc import Mapping

from seeder.domain.freshness.states import FreshnessState
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, Status
from seeder.domain.plan import PlannedAction
from seeder.domain.snapshots.drift_rules import Severity
from seeder.texts import Text

OUTCOME_WORDS: Mapping[Outcome, Text] = {
    Outcome.CREATED: Text("created"),
    Outcome.REFRESHED: Text("refreshed"),
    Outcome.SKIPPED: Text("skipped"),
    Outcome.HELD: Text("held"),
    Outcome.FAILED: Text("failed"),
}
ACTION_WORDS: Mapping[PlannedAction, Text] = {
    PlannedAction.CREATE: Text("create"),
    PlannedAction.REFRESH: Text("refresh"),
}
MODE_WORDS: Mapping[RefreshMode, Text] = {
    RefreshMode.PLAIN: Text("plain"),
    RefreshMode.CONCURRENT: Text("concurrent"),
}
STATUS_WORDS: Mapping[Status, Text] = {
    Status.PENDING: Text("pending"),
    Status.RUNNING: Text("running"),
    Status.SUCCESS: Text("success"),
    Status.ERROR: Text("error"),
}
FRESHNESS_WORDS: Mapping[FreshnessState, Text] = {
    FreshnessState.FRESH: Text("fresh"),
    FreshnessState.DUE: Text("due"),
    FreshnessState.HELD: Text("held"),
    FreshnessState.LATE: Text("late"),
    FreshnessState.UNKNOWN: Text("unknown"),
}
SCHEDULE_WORDS: Mapping[str | None, Text] = {
    "added": Text("added"),
    "changed": Text("changed"),
    "kept": Text("kept"),
    "removed": Text("removed"),
}
SEVERITY_WORDS: Mapping[Severity, Text] = {
    Severity.NONE: Text.in_context("severity", "none"),
    Severity.NOTICE: Text("notice"),
    Severity.BREAKING: Text("breaking"),
}
