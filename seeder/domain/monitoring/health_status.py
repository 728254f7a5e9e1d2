"""Whether views can be refreshed, in words for whoever may ask: none of them says where, why or which."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class ComponentStatus(StrEnum):
    """How a thing stands."""

    OK = "ok"
    ABSENT = "absent"  # it need not be there, and is not
    UNKNOWN = "unknown"  # nobody could ask, or nothing would tell
    INVALID = "invalid"  # as it is, no run begins
    UNREACHABLE = "unreachable"  # refused, lost, or no answer in time
    FAULTY = "faulty"  # it answers, that it cannot
    READ_ONLY = "read-only"  # a standby, or set to be
    POOLED = "pooled"  # behind a proxy that gives each transaction another session
    MISSING = "missing"
    UNUSABLE = "unusable"
    OPEN = "open"
    CLOSED = "closed"
    WORKING = "working"
    IDLE = "idle"
    STALLED = "stalled"  # something has been waiting for a while, and nobody is at anything


class Readiness(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"  # refreshes can be asked for; some will not be done for now
    NOT_READY = "not ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What was found, each in a word."""

    settings: ComponentStatus = ComponentStatus.UNKNOWN
    database: ComponentStatus = ComponentStatus.UNKNOWN  # the one that holds manifests and history
    tables: ComponentStatus = ComponentStatus.UNKNOWN  # those of the contract that are not optional
    privileges: ComponentStatus = ComponentStatus.UNKNOWN  # to read the manifests and write the history
    queue: ComponentStatus = ComponentStatus.UNKNOWN
    workers: ComponentStatus = ComponentStatus.UNKNOWN
    breaker: ComponentStatus = ComponentStatus.UNKNOWN  # open if that of any database is
    other_databases: ComponentStatus = ComponentStatus.ABSENT  # that SEEDER['DATABASES'] names; the worst of them

    @property
    def components(self) -> Mapping[str, ComponentStatus]:
        return asdict(self)

    @property
    def readiness(self) -> Readiness:
        """An open breaker closes by itself, and workers come back: who looks through this door for what is wrong must
        not find it shut because of them."""
        needed = {self.settings, self.database, self.tables, self.privileges, self.queue}
        if not needed <= {ComponentStatus.OK, ComponentStatus.ABSENT}:
            return Readiness.NOT_READY
        is_well = self.workers is not ComponentStatus.STALLED and self.breaker is not ComponentStatus.OPEN
        return (
            Readiness.READY
            if is_well and self.other_databases in {ComponentStatus.OK, ComponentStatus.ABSENT}
            else Readiness.DEGRADED
        )
