"""The order in which a run refreshes views: dependencies first, then least slack, then the longest critical path.

This is list scheduling by critical path (R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl.
Math. 17(2), 1969): of the ready views, the one with the most work depending on it starts first. Independent views
start longest first. Views with a deadline that can be met, and their dependencies, start before all others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from statistics import median
from typing import TypeVar

from seeder.domain.data_checks.check_order import CheckOrder
from seeder.domain.data_checks.results import DataCheck
from seeder.domain.freshness.deadlines import MissedContract, RunDeadlines
from seeder.domain.freshness.slack import latest_starts
from seeder.domain.group_options import GroupOptions
from seeder.domain.manifests import Manifest, RejectedManifest, Selection, ViewKey, ViewSpec
from seeder.domain.refresh_mode import ModeChoice, ModeFacts
from seeder.domain.row_changes import ChangeRequest
from seeder.domain.skip_decision import SkipPlan
from seeder.domain.view_names import ViewName

Node = TypeVar("Node", ViewKey, ViewName)

_NEVER = datetime.max.replace(tzinfo=UTC)
_HORIZON = 1.02  # times the bound


class PlannedAction(StrEnum):
    """What a run does with a view."""

    CREATE = "create"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionDrift:
    """A manifest whose query differs from its view's definition. A refresh only reports it."""

    manifest: Manifest
    cause: str | None = None  # why PostgreSQL rejects the query; None if it accepts it


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewInputs:
    """What a refresh of a view reads, as OIDs of its database."""

    tables: tuple[int, ...] = ()  # directly and through plain views, functions and policies, as far as PostgreSQL knows
    views: tuple[int, ...] = ()  # the view, and plain views on the way
    materialized: tuple[int, ...] = ()  # materialized views, which end the way
    calls_opaque_functions: bool = False  # which can read anything, because their bodies are text


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldInput:
    """A view whose last refresh was held, in an earlier run."""

    view: ViewKey
    as_of: datetime | None  # of its data; None if unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanInputs:
    """Facts about the selected views from catalog and history. Entries of other views are ignored."""

    row_counts: Mapping[ViewKey, int] = field(default_factory=dict)  # of existing views; 0 if unknown
    depends_on: Mapping[ViewKey, Iterable[ViewKey]] = field(default_factory=dict)
    outside: Mapping[ViewKey, Iterable[ViewKey]] = field(
        default_factory=dict
    )  # other materialized views that they read
    expected_durations: Mapping[ViewKey, timedelta] = field(default_factory=dict)  # of views that ever succeeded
    consecutive_failures: Mapping[ViewKey, int] = field(default_factory=dict)  # of views whose last refresh failed
    definition_drift: Mapping[ViewKey, tuple[DefinitionDrift, ...]] = field(default_factory=dict)
    view_inputs: Mapping[ViewKey, ViewInputs] = field(default_factory=dict)  # of existing views, unless they may change
    deadlines: Mapping[ViewKey, datetime] = field(default_factory=dict)  # of views with a freshness contract
    now: datetime | None = None  # by the database's clock; required with deadlines
    workers: int = 1  # in each database; needed with deadlines
    checks: Mapping[ViewKey, tuple[DataCheck, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedView:
    """One view of a plan. Compared by identity: a plan holds each view once."""

    spec: ViewSpec
    action: PlannedAction
    depends_on: frozenset[ViewKey]  # views of this plan that must end before it starts
    expected_duration: timedelta | None  # of its last success; None if it never succeeded
    estimated_duration: timedelta  # of this refresh
    critical_path: timedelta  # estimated time from its start to the end of the longest chain of dependents
    latest_start: datetime | None = None  # that meets the deadlines of it and its dependents; None without any
    consecutive_failures: int = 0
    definition_drift: tuple[DefinitionDrift, ...] = ()
    inputs: ViewInputs | None = None  # None if they have to be looked up before the refresh
    checks: tuple[DataCheck, ...] = ()  # what its new rows have to meet
    skip_plan: SkipPlan | None = None  # None if no view can be skipped
    check_order: CheckOrder | None = None  # of its next refresh; None unless that would be plain
    rows: int = 0  # before the refresh; 0 if unknown
    outside: frozenset[ViewKey] = frozenset()  # materialized views that it reads and that are not in this plan
    held_inputs: tuple[HeldInput, ...] = ()  # those of them whose last refresh was held
    change_request: ChangeRequest | None = None  # of a sample of the rows that this refresh changes
    mode_facts: ModeFacts | None = None  # None unless the mode is chosen by measurement
    mode_choice: ModeChoice | None = None  # as of planning; the mode is chosen again at the start of the refresh

    @property
    def key(self) -> ViewKey:
        return self.spec.key

    @property
    def last_refresh_succeeded(self) -> bool:
        return self.expected_duration is not None and not self.consecutive_failures


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedGroup:
    """Views that one worker refreshes in one transaction: see `consistent_groups`. Compared by identity."""

    name: str
    views: tuple[PlannedView, ...]  # dependencies first; the first one stands for the group in a schedule
    options: GroupOptions = field(default_factory=GroupOptions)
    estimated_duration: timedelta
    measured_duration: timedelta = timedelta()  # the part of it that is of members that ever succeeded
    refusals: tuple[str, ...] = ()  # sentences; the group is not refreshed if there are any

    @property
    def leader(self) -> PlannedView:
        return self.views[0]


@dataclass(frozen=True, kw_only=True)
class RefreshPlan:
    """Views, most urgent first, and rejected manifests."""

    views: tuple[PlannedView, ...] = ()
    rejected: tuple[RejectedManifest, ...] = ()
    warnings: Mapping[str, str] = field(default_factory=dict)  # by database whose dependencies are unknown
    notes: tuple[str, ...] = ()  # for the reader of the plan: what PostgreSQL cannot know about it
    deadlines: RunDeadlines = field(default_factory=RunDeadlines)  # of freshness contracts
    missed_contracts: tuple[MissedContract, ...] = ()  # freshness contracts that the run is expected to miss
    groups: tuple[PlannedGroup, ...] = ()  # views that become visible together; the others alone

    @property
    def manifests(self) -> list[Manifest]:
        """All manifests, rejected ones last."""
        planned = [manifest for view in self.views for manifest in view.spec.manifests]
        return [*planned, *(one.manifest for one in self.rejected)]

    @property
    def by_database(self) -> Mapping[str, Sequence[PlannedView]]:
        """Views by database, most urgent first."""
        views: dict[str, list[PlannedView]] = {}
        for view in self.views:
            views.setdefault(view.key.database, []).append(view)
        return views


def build_plan(selection: Selection, inputs: PlanInputs) -> RefreshPlan:
    """Order the selected views.

    The plan does not depend on the order of sets and mappings in the inputs. Dependencies outside the selection are
    ignored, because the request does not include them.
    """
    specs = {spec.key: spec for spec in selection.views}
    graph = topological_order({key: specs.keys() & set(inputs.depends_on.get(key, ())) for key in specs})
    estimated_durations = _estimate_durations(inputs, specs.keys())
    critical_paths = _critical_paths(graph, estimated_durations)
    starts: Mapping[ViewKey, datetime] = {}
    horizons: Mapping[str, datetime] = {}
    if inputs.deadlines and inputs.now is not None:
        typical = typical_durations(specs.values(), inputs)
        starts = latest_starts(graph, typical, inputs.deadlines, inputs.now)
        horizons = _horizons(graph, typical, inputs.now, inputs.workers)
    views = [
        PlannedView(
            spec=spec,
            action=PlannedAction.REFRESH if key in inputs.row_counts else PlannedAction.CREATE,
            depends_on=frozenset(graph[key]),
            expected_duration=inputs.expected_durations.get(key),
            estimated_duration=estimated_durations[key],
            critical_path=critical_paths[key],
            latest_start=starts.get(key),
            consecutive_failures=inputs.consecutive_failures.get(key, 0),
            definition_drift=inputs.definition_drift.get(key, ()),
            inputs=inputs.view_inputs.get(key),
            checks=inputs.checks.get(key, ()),
            rows=inputs.row_counts.get(key, 0),
            outside=frozenset(  # a difference with `specs.keys()` would go through all of them
                one for one in (*inputs.depends_on.get(key, ()), *inputs.outside.get(key, ())) if one not in specs
            ),
        )
        for key, spec in specs.items()
    ]
    views.sort(key=_urgency_key)
    if starts:
        views.sort(key=lambda view: min(starts.get(view.key, _NEVER), horizons[view.key.database] - view.critical_path))
    return RefreshPlan(views=tuple(views), rejected=selection.rejected)


def _horizons(
    graph: Mapping[ViewKey, Set[ViewKey]], durations: Mapping[ViewKey, timedelta], now: datetime, workers: int
) -> dict[str, datetime]:
    """Return for each database a deadline of all its views: a little more than the bound of any schedule.

    So the longest chains start in time. With the bound itself they would delay tight contracts: in a simulated week,
    0.5 % were late.
    """
    work, longest = defaultdict[str, timedelta](timedelta), defaultdict[str, timedelta](timedelta)
    for key, path in _critical_paths(graph, durations).items():
        work[key.database] += durations[key]
        longest[key.database] = max(longest[key.database], path)
    return {database: now + _HORIZON * max(work[database] / workers, longest[database]) for database in work}


def _urgency_key(view: PlannedView) -> tuple[int, bool, timedelta, ViewKey]:
    """Return a sort key that puts the most urgent view first.

    Views that failed last time come after views of similar urgency (critical paths within the same power of two
    seconds), because they would probably fail again and delay the others. They do not come after all views: then a
    long one would start last and prolong the run, and failures in a row would open the circuit breaker.
    """
    scale = int(view.critical_path.total_seconds()).bit_length()
    return -scale, view.consecutive_failures > 0, -view.critical_path, view.key


def topological_order(graph: Mapping[Node, Set[Node]]) -> dict[Node, Set[Node]]:
    """Return the graph ordered so that each view comes after its dependencies.

    A cycle can exist if a function that a view reads was replaced later. PostgreSQL refreshes such views in any order,
    so the first view of a cycle by name loses its dependency on the cycle.
    """
    acyclic = {key: set(graph[key]) for key in sorted(graph)}
    while True:
        sorter = TopologicalSorter({key: sorted(dependencies) for key, dependencies in acyclic.items()})
        try:
            return {key: acyclic[key] for key in sorter.static_order()}
        except CycleError as error:
            cycle: list[Node] = error.args[1][1:]  # each one is a dependency of the next, the last of the first
            first = min(cycle)
            acyclic[first].remove(cycle[cycle.index(first) - 1])


def _estimate_durations(inputs: PlanInputs, keys: Set[ViewKey]) -> dict[ViewKey, timedelta]:
    """Estimate durations: the last one, otherwise in proportion to the row count.

    A view without either is assumed to take longer than all others together, so that it starts early: a long view that
    starts last prolongs the run. A view that only ever failed counts as zero, because it probably fails early.
    """
    measured, by_size = _known_durations(inputs, keys)
    unmeasured_duration = sum((*measured.values(), *by_size.values()), timedelta(seconds=1))
    estimated = {key: timedelta() if inputs.consecutive_failures.get(key) else unmeasured_duration for key in keys}
    return {**estimated, **by_size, **measured}


def typical_durations(specs: Iterable[ViewSpec], inputs: PlanInputs) -> dict[ViewKey, timedelta]:
    """Return likely durations, for deadlines: of an unmeasured view, the median of its agency or of all views."""
    agencies = {spec.key: spec.manifests[0].agency_slug for spec in specs}
    measured, by_size = _known_durations(inputs, agencies.keys())
    known = {**by_size, **measured}
    by_agency: dict[str, list[timedelta]] = {}
    for key, duration in known.items():
        by_agency.setdefault(agencies[key], []).append(duration)
    usual = {agency: _median(durations) for agency, durations in by_agency.items()}
    unknown = _median(known.values())
    return {key: known.get(key, usual.get(agency, unknown)) for key, agency in agencies.items()}


def _median(durations: Iterable[timedelta]) -> timedelta:
    return timedelta(seconds=median([one.total_seconds() for one in durations] or [0.0]))


def _known_durations(
    inputs: PlanInputs, keys: Set[ViewKey]
) -> tuple[dict[ViewKey, timedelta], dict[ViewKey, timedelta]]:
    """Return the last durations, and estimates of others in proportion to the row count."""
    measured = {key: inputs.expected_durations[key] for key in keys if key in inputs.expected_durations}
    rows, measured_total = sum(inputs.row_counts.get(key, 0) for key in measured), sum(measured.values(), timedelta())
    # Without measured views any rate will do: then only sizes are compared.
    duration_per_row = measured_total / rows if rows and measured_total else timedelta(microseconds=1)
    by_size = {
        key: duration_per_row * inputs.row_counts[key] for key in keys - measured.keys() if inputs.row_counts.get(key)
    }
    return measured, by_size


def _critical_paths(
    graph: Mapping[ViewKey, Set[ViewKey]], durations: Mapping[ViewKey, timedelta]
) -> dict[ViewKey, timedelta]:
    """Return the critical path of each view. `graph` must be in topological order."""
    longest_behind = dict.fromkeys(graph, timedelta())
    paths: dict[ViewKey, timedelta] = {}
    for key in reversed(list(graph)):
        paths[key] = longest_behind[key] + durations[key]
        for read in graph[key]:
            longest_behind[read] = max(longest_behind[read], paths[key])
    return paths
