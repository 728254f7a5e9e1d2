"""What is stored about a view and its refreshes, for its explanation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import NEVER_RECORDED, DataAge
from seeder.domain.freshness.states import Judgement, ViewFacts
from seeder.domain.group_endings import GroupEnding
from seeder.domain.manifests import Manifest, RejectedManifest, ViewKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.monitoring.timeline import HoldInterval
from seeder.domain.outcomes import Status


class Topic(StrEnum):
    """What a decision is about."""

    MANIFEST = "manifest"
    REFRESH = "refresh"
    WAIT = "wait"
    MODE = "mode"
    SKIP = "skip"
    DATA_CHECK = "data_check"
    WAIVER = "waiver"
    DATA = "data"  # as of when they are
    CONTRACT = "contract"
    GROUP = "group"
    DEPENDENCY = "dependency"
    DRIFT = "drift"
    BREAKER = "breaker"
    LOCK = "lock"
    PLAN = "plan"


class Level(StrEnum):
    """How much attention a decision needs."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One decision, as a sentence."""

    topic: Topic
    text: str
    level: Level = Level.NOTICE


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshMetrics:
    """The waits, the mode and the changes of a refresh. None is unknown."""

    mode: RefreshMode | None = None
    mode_reason: str | None = None  # a sentence, if the mode was chosen by measurement
    fell_back: bool = False
    attempts: int | None = None
    worker_wait: timedelta | None = None
    throttle_wait: timedelta | None = None
    lock_wait: timedelta | None = None
    rows_inserted: int | None = None
    rows_deleted: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRefresh:
    """A history row of a view, with its run and its metrics."""

    history_id: int
    run_id: str
    status: Status
    started_at: datetime
    finished_at: datetime | None
    rows: int | None
    size_bytes: int | None
    consecutive_failures: int = 0
    run_description: str | None = None
    requested_by: str | None = None
    message: str | None = None  # of a failure, as the user may see it
    reason: str | None = None
    sqlstate: str | None = None
    notes: Sequence[str] = ()  # none without the permission to see error messages
    is_interrupted: bool = False
    is_run_dead: bool = False  # its run was killed, and nothing has closed the row yet
    is_reused: bool = False  # the result of another run
    skip_reason: str | None = None  # why it was skipped; None unless it was
    metrics: RefreshMetrics | None = None  # None if they are not recorded
    holds: Sequence[HoldInterval] = ()  # of its database, in its run
    group: GroupEnding | None = None  # with which it was refreshed; None if alone

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredCheck:
    """The result of a data check."""

    name: str
    kind: str
    severity: str
    outcome: str
    figures: Mapping[str, Any]
    text: str  # figures and bounds, without a full stop
    sqlstate: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenWaiver:
    """A waiver that the next refresh can use."""

    check_name: str
    figures: Mapping[str, Any]
    sqlstate: str | None
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedContract:
    """A freshness contract of the view, with its state."""

    contract: FreshnessContract
    judgement: Judgement


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedView:
    """A view that the explained one reads, or that reads it."""

    view: ViewKey
    is_listed: bool = True  # an enabled manifest has it, so runs refresh it
    facts: ViewFacts = field(default_factory=ViewFacts)
    age: DataAge = NEVER_RECORDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Relations:
    """What a view reads, and what reads it. Views of hidden agencies are only counted."""

    views: Sequence[RelatedView] = ()  # materialized views that it reads directly
    hidden_views: int = 0
    tables: Sequence[str] = ()
    calls_opaque_functions: bool = False
    dependents: Sequence[RelatedView] = ()  # direct ones
    hidden_dependents: int = 0
    further_dependents: int = 0  # that read it through others


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewStory:
    """The stored facts about one view."""

    view: ViewKey
    now: datetime  # by the database's clock
    exists: bool
    is_populated: bool = True  # False for a missing view, and WITH NO DATA
    manifests: Sequence[Manifest] = ()  # enabled ones that the user may see
    rejected: Sequence[RejectedManifest] = ()
    facts: ViewFacts = field(default_factory=ViewFacts)
    age: DataAge = NEVER_RECORDED
    last: StoredRefresh | None = None  # the latest history row, also an open one
    last_ended: StoredRefresh | None = None
    last_success: StoredRefresh | None = None
    checks: Sequence[StoredCheck] = ()  # of the last refresh that ran any
    waivers: Sequence[OpenWaiver] = ()
    contracts: Sequence[AppliedContract] = ()
    relations: Relations = field(default_factory=Relations)
