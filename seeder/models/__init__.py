"""The tables of the contract, as rows. All are unmanaged: another team's repository owns the DDL."""

from seeder.models.breaker import CircuitBreaker
from seeder.models.definition import ViewDefinition
from seeder.models.history import JobStatus, RunHistory
from seeder.models.manifest import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.models.metrics import RunMetrics
from seeder.models.queue import QueuedRefresh
from seeder.models.run import Run
from seeder.models.snapshot import ReleaseSnapshot

__all__ = [
    "CannedReport",
    "CannedReportManifest",
    "CircuitBreaker",
    "CustomReportManifest",
    "JobStatus",
    "QueuedRefresh",
    "ReleaseSnapshot",
    "Run",
    "RunHistory",
    "RunMetrics",
    "ViewDefinition",
]
