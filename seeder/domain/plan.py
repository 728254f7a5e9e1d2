"""What a run will do, in which order: views after what they read, the longest remaining path first.

Longest remaining path first is list scheduling by critical path (R. L. Graham, "Bounds on Multiprocessing Timing
Anomalies", SIAM J. Appl. Math. 17(2), 1969): among the views that are ready, the one that holds up the most work
behind it starts first. For independent views it is longest first.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from seeder.domain.manifests import Manifest, RejectedManifest, Selection, ViewKey, ViewSpec


class PlannedAction(StrEnum):
    """What a view needs."""

    CREATE = "create"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionDrift:
    """A manifest whose query is not what its view was created from. Only reported: a refresh changes neither."""

    manifest: Manifest
    cause: str | None = None  # why PostgreSQL would not make a view of that query today; None where it would


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanInputs:
    """What the catalog and the history know of the selected views; of others it may say anything."""

    row_counts: Mapping[ViewKey, int] = field(default_factory=dict)  # rows of each that exists; 0 where nobody knows
    depends_on: Mapping[ViewKey, Iterable[ViewKey]] = field(default_factory=dict)
    expected_durations: Mapping[ViewKey, timedelta] = field(default_factory=dict)  # of those that ever succeeded
    consecutive_failures: Mapping[ViewKey, int] = field(default_factory=dict)  # in a row, of those that failed last
    definition_drift: Mapping[ViewKey, tuple[DefinitionDrift, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedView:
    """One view of a plan. Compared by identity: a plan holds each view once."""

    spec: ViewSpec
    action: PlannedAction
    depends_on: frozenset[ViewKey]  # the views of this plan that must have ended before this one starts
    expected_duration: timedelta | None  # as long as it took when it last succeeded, None before it ever did
    critical_path: timedelta  # from its start to the end of the longest chain behind it, as far as is known or guessed

    consecutive_failures: int = 0  # how often in a row it has failed so far
    definition_drift: tuple[
        DefinitionDrift, ...
    ] = ()  # the manifests whose query is not what the view was created from

    @property
    def key(self) -> ViewKey:
        return self.spec.key

    @property
    def last_refresh_succeeded(self) -> bool:
        return self.expected_duration is not None and not self.consecutive_failures


@dataclass(frozen=True, kw_only=True)
class RefreshPlan:
    """The views, most urgent first, and the manifests that cannot be planned."""

    views: tuple[PlannedView, ...] = ()
    rejected: tuple[RejectedManifest, ...] = ()
    warnings: tuple[str, ...] = ()  # what could not be found out
    undetermined_databases: frozenset[str] = (
        frozenset()
    )  # the databases of which nobody could find out what their views read

    @property
    def by_database(self) -> Mapping[str, Sequence[PlannedView]]:
        """The views of each database, most urgent first."""
        views: dict[str, list[PlannedView]] = {}
        for view in self.views:
            views.setdefault(view.key.database, []).append(view)
        return views


def build_plan(selection: Selection, inputs: PlanInputs) -> RefreshPlan:
    """Order the selected views. The same input gives the same plan, whatever the order of its sets and maps.

    `known.reads` may name views outside the selection: they are left out, nobody asked for them.
    """
    specs = {spec.key: spec for spec in selection.views}
    graph = _topological_order({key: specs.keys() & set(inputs.depends_on.get(key, ())) for key in specs})
    critical_paths = _critical_paths(graph, _estimate_durations(inputs, specs.keys()))
    views = [
        PlannedView(
            spec=spec,
            action=PlannedAction.REFRESH if key in inputs.row_counts else PlannedAction.CREATE,
            depends_on=frozenset(graph[key]),
            expected_duration=inputs.expected_durations.get(key),
            critical_path=critical_paths[key],
            consecutive_failures=inputs.consecutive_failures.get(key, 0),
            definition_drift=inputs.definition_drift.get(key, ()),
        )
        for key, spec in specs.items()
    ]
    return RefreshPlan(
        views=tuple(sorted(views, key=_urgency_key)),
        rejected=selection.rejected,
    )


def _urgency_key(view: PlannedView) -> tuple[int, bool, timedelta, ViewKey]:
    """Sorts the most urgent first.

    Views that have failed of late come after all others of like urgency, whose paths are within the same power of two
    seconds: as long as nobody has mended them, they only keep others from their seats. Were they to come after all
    others whatever their paths, a long one would start when nothing else is left, and make the run longer by all its
    length; and one failure after another would open the circuit breaker.
    """
    scale = int(view.critical_path.total_seconds()).bit_length()
    return -scale, view.consecutive_failures > 0, -view.critical_path, view.key


def _topological_order(graph: Mapping[ViewKey, Set[ViewKey]]) -> dict[ViewKey, Set[ViewKey]]:
    """The graph in an order in which every view comes after what it reads.

    Views alone cannot read each other in a circle; a function in between that was replaced afterwards can close one.
    PostgreSQL refreshes such views in any order, so one of the circle simply goes first. Elsewhere this is
    A. B. Kahn, "Topological sorting of large networks", Communications of the ACM 5(11), 1962.
    """
    dependents: dict[ViewKey, list[ViewKey]] = {key: [] for key in graph}
    for key in sorted(graph):
        for read in graph[key]:
            dependents[read].append(key)
    unfinished_dependencies = {key: len(read) for key, read in graph.items()}
    ready = deque(key for key in sorted(graph) if not unfinished_dependencies[key])
    ordered: dict[ViewKey, Set[ViewKey]] = {}
    while len(ordered) < len(graph):
        key = ready.popleft() if ready else _pick_from_cycle({key: graph[key] for key in graph if key not in ordered})
        ordered[key] = graph[key] & ordered.keys()
        for reader in dependents[key]:
            unfinished_dependencies[reader] -= 1
            if not unfinished_dependencies[reader] and reader not in ordered:
                ready.append(reader)
    return ordered


def _pick_from_cycle(blocked: Mapping[ViewKey, Set[ViewKey]]) -> ViewKey:
    """A view that reads itself by some way; every one here waits for another, so each way leads into a circle."""
    key, visited = min(blocked), set[ViewKey]()
    while key not in visited:
        visited.add(key)
        key = min(blocked[key] & blocked.keys())
    return key


def _estimate_durations(inputs: PlanInputs, keys: Set[ViewKey]) -> dict[ViewKey, timedelta]:
    """How long each view will take: as long as last time; else in proportion to its size; else for longer than all the
    others together, so that it starts early: an unknown long view that starts last is what makes a night long. One that
    has only ever failed takes no time: it has probably not come far.
    """
    measured = {key: inputs.expected_durations[key] for key in keys if key in inputs.expected_durations}
    rows, measured_total = sum(inputs.row_counts.get(key, 0) for key in measured), sum(measured.values(), timedelta())
    # Where nothing was measured, any rate will do: sizes are then compared with one another alone.
    duration_per_row = measured_total / rows if rows and measured_total else timedelta(microseconds=1)
    by_size = {
        key: duration_per_row * inputs.row_counts[key] for key in keys - measured.keys() if inputs.row_counts.get(key)
    }
    unmeasured_duration = sum((*measured.values(), *by_size.values()), timedelta(seconds=1))
    estimated = {key: timedelta() if inputs.consecutive_failures.get(key) else unmeasured_duration for key in keys}
    return {**estimated, **by_size, **measured}


def _critical_paths(
    graph: Mapping[ViewKey, Set[ViewKey]], durations: Mapping[ViewKey, timedelta]
) -> dict[ViewKey, timedelta]:
    """For each view the time from its start to the end of the longest chain behind it. `graph` has to be in order."""
    longest_behind = dict.fromkeys(graph, timedelta())
    paths: dict[ViewKey, timedelta] = {}
    for key in reversed(list(graph)):
        paths[key] = longest_behind[key] + durations[key]
        for read in graph[key]:
            longest_behind[read] = max(longest_behind[read], paths[key])
    return paths
