"""Health of the service, without names, addresses or causes: it is public."""

from dataclasses import dataclass
from enum import StrEnum


class ComponentStatus(StrEnum):
    """Status of one component."""

    OK = "ok"
    ABSENT = "absent"  # optional and not present
    UNKNOWN = "unknown"  # could not be determined
    INVALID = "invalid"  # no run can start
    UNREACHABLE = "unreachable"  # refused, lost, or no answer in time
    FAULTY = "faulty"  # answers with an error
    READ_ONLY = "read-only"  # a standby, or set so
    POOLED = "pooled"  # behind a proxy that gives each transaction another session
    MISSING = "missing"
    UNUSABLE = "unusable"
    OPEN = "open"
    CLOSED = "closed"
    WORKING = "working"
    IDLE = "idle"
    LATE = "late"  # a freshness contract of severity error
    STALLED = "stalled"  # parts are waiting and no worker is running one


class Readiness(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"  # accepts requests, but some refreshes cannot run now, or are late
    NOT_READY = "not ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """Status of each component."""

    settings: ComponentStatus = ComponentStatus.UNKNOWN
    database: ComponentStatus = ComponentStatus.UNKNOWN  # with manifests and history
    tables: ComponentStatus = ComponentStatus.UNKNOWN  # the contract's required tables
    privileges: ComponentStatus = ComponentStatus.UNKNOWN  # to read the manifests and write the history
    queue: ComponentStatus = ComponentStatus.UNKNOWN
    workers: ComponentStatus = ComponentStatus.UNKNOWN
    breaker: ComponentStatus = ComponentStatus.UNKNOWN  # open if any database's breaker is
    freshness: ComponentStatus = ComponentStatus.UNKNOWN  # absent without contracts
    other_databases: ComponentStatus = ComponentStatus.ABSENT  # the first problem of those in SEEDER['DATABASES']

    @property
    def readiness(self) -> Readiness:
        """Return the readiness. Problems that repair themselves only degrade it."""
        needed = {self.settings, self.database, self.tables, self.privileges, self.queue}
        if not needed <= {ComponentStatus.OK, ComponentStatus.ABSENT}:
            return Readiness.NOT_READY
        problems = {ComponentStatus.STALLED, ComponentStatus.OPEN, ComponentStatus.LATE}
        is_well = problems.isdisjoint({self.workers, self.breaker, self.freshness})
        if is_well and self.other_databases in {ComponentStatus.OK, ComponentStatus.ABSENT}:
            return Readiness.READY
        return Readiness.DEGRADED
