"""Models of the contract's tables. All are unmanaged, because another repository owns the DDL."""

from seeder.models.change_sample import ChangeSample
from seeder.models.circuit_breaker import CircuitBreaker
from seeder.models.data_check import DataCheck, DataCheckResult, DataCheckWaiver
from seeder.models.freshness import Freshness
from seeder.models.history_and_status import JobStatus, RunHistory
from seeder.models.manifest import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.models.notification import Alert, Mute, Notification
from seeder.models.queued_refresh import QueuedRefresh
from seeder.models.run import Run
from seeder.models.run_metrics import RunMetrics
from seeder.models.skip_decision import SkipDecision
from seeder.models.snapshot import ReleaseSnapshot
from seeder.models.view_definition import ViewDefinition
from seeder.models.view_state import ViewState

__all__ = [
    "Alert",
    "CannedReport",
    "CannedReportManifest",
    "ChangeSample",
    "CircuitBreaker",
    "CustomReportManifest",
    "DataCheck",
    "DataCheckResult",
    "DataCheckWaiver",
    "Freshness",
    "JobStatus",
    "Mute",
    "Notification",
    "QueuedRefresh",
    "ReleaseSnapshot",
    "Run",
    "RunHistory",
    "RunMetrics",
    "SkipDecision",
    "ViewDefinition",
    "ViewState",
]
