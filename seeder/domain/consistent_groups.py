"""Groups of views that are refreshed in one transaction and become visible together.

A group is convex: a view between two members is a member. Otherwise another run could refresh that view while it waits
for the first member, and the group would wait for it at the second.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import timedelta

from seeder.domain.group_options import GroupOptions
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView, topological_order
from seeder.domain.view_names import ViewName
from seeder.texts import Text

Reads = Mapping[ViewKey, Set[ViewKey]]  # the materialized views that each view reads


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSetting:
    """One entry of `CONSISTENT_GROUPS`."""

    name: str
    views: frozenset[ViewName] = frozenset()
    agencies: frozenset[str] = frozenset()  # slugs, for all their views
    options: GroupOptions = field(default_factory=GroupOptions)

    def includes(self, view: ViewName, agencies: Set[str]) -> bool:
        return view in self.views or not self.agencies.isdisjoint(agencies)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsistentGroup:
    """Views of one database that become visible together."""

    names: frozenset[str]  # of the settings that share views
    members: frozenset[ViewKey]
    options: GroupOptions = field(default_factory=GroupOptions)
    unlisted: frozenset[ViewName] = frozenset()  # required views without an enabled manifest

    def __str__(self) -> str:
        return " + ".join(sorted(self.names))


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberFacts:
    """What the catalog says about a member before its group is refreshed."""

    is_filled: bool = True  # it exists and can be read
    has_unique_index: bool = True  # that CONCURRENTLY can use
    unlockable_inputs: tuple[str, ...] = ()  # tables that this role may not lock
    hides_inputs: bool = False  # it calls functions with text bodies, and declares no dependencies

    @property
    def is_blocking(self) -> bool:
        """Whether its refresh blocks readers. A view that was never filled has none."""
        return self.is_filled and not self.has_unique_index


def form_groups(agencies: Mapping[ViewKey, Set[str]], settings: Iterable[GroupSetting]) -> list[ConsistentGroup]:
    """Return the groups of views with an enabled manifest, whose agencies are given.

    Settings that share a view are one group in each database.
    """
    groups: list[ConsistentGroup] = []
    for setting in settings:
        members: dict[str, set[ViewKey]] = {}
        for key, slugs in agencies.items():
            if setting.includes(key.name, slugs):
                members.setdefault(key.database, set()).add(key)
        unlisted = setting.views - {key.name for key in agencies}
        for keys in members.values():
            merged = ConsistentGroup(
                names=frozenset({setting.name}),
                members=frozenset(keys),
                options=setting.options,
                unlisted=frozenset(unlisted),
            )
            for other in [one for one in groups if one.members & merged.members]:
                groups.remove(other)
                merged = _merge(other, merged)
            groups.append(merged)
    return groups


def close_groups(
    groups: Iterable[ConsistentGroup], reads: Reads, *, listed: Collection[ViewKey]
) -> list[ConsistentGroup]:
    """Add the views between members to each group. Of those, only listed ones have an enabled manifest."""
    closed: list[ConsistentGroup] = []
    for group in groups:
        between = views_between(group.members, reads)
        grown = replace(
            group,
            members=group.members | (between & set(listed)),
            unlisted=group.unlisted | {key.name for key in between - set(listed)},
        )
        while others := [one for one in closed if one.members & grown.members]:
            for other in others:
                closed.remove(other)
                grown = _merge(other, grown)
            between = views_between(grown.members, reads) & set(listed)
            grown = replace(grown, members=grown.members | between)
        closed.append(grown)
    return closed


def _merge(one: ConsistentGroup, other: ConsistentGroup) -> ConsistentGroup:
    return ConsistentGroup(
        names=one.names | other.names,
        members=one.members | other.members,
        options=one.options.combined(other.options),
        unlisted=one.unlisted | other.unlisted,
    )


def views_between(members: Collection[ViewKey], reads: Reads) -> set[ViewKey]:
    """Return the views that read a member and are read by one, directly or through others."""
    read_by: dict[ViewKey, set[ViewKey]] = {}
    for view, read in reads.items():
        for one in read:
            read_by.setdefault(one, set()).add(view)
    return (_reachable(members, reads) & _reachable(members, read_by)) - set(members)


def _reachable(start: Iterable[ViewKey], edges: Reads) -> set[ViewKey]:
    found, waiting = set[ViewKey](), list(start)
    while waiting:
        for one in edges.get(waiting.pop(), ()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def in_dependency_order(views: Iterable[PlannedView]) -> tuple[PlannedView, ...]:
    """Return views so that each comes after those that it reads."""
    by_key = {view.key: view for view in views}
    return tuple(
        by_key[key] for key in topological_order({key: by_key.keys() & by_key[key].depends_on for key in by_key})
    )


def refusals(
    members: Mapping[ViewKey, MemberFacts],
    *,
    allow_blocking: bool,
    default_database: str,
    unlisted: Iterable[ViewName] = (),
) -> Iterator[Text]:
    """Yield why a group cannot be refreshed, each with the next step."""
    for name in sorted(unlisted):
        yield Text(
            "{view} has no enabled manifest. Enable one, or take the view out of CONSISTENT_GROUPS.", view=str(name)
        )
    for key in sorted(members):
        view, facts = str(key.name), members[key]
        if key.database != default_database:
            yield Text(
                "{view} is in the database {database}. Take it out of CONSISTENT_GROUPS: the history is in the default"
                " database and commits with the group.",
                view=view,
                database=key.database,
            )
        if facts.is_blocking and not allow_blocking:
            yield Text(
                "{view} has no usable unique index, so its refresh would block readers until the whole group ends."
                " Create a unique index on plain columns without a WHERE clause, or set allow_blocking.",
                view=view,
            )
        for table in facts.unlockable_inputs:
            yield Text(
                "{view} reads {table}, which this role may not lock. GRANT SELECT on it to the role.",
                view=view,
                table=table,
            )
        if facts.hides_inputs:
            yield Text(
                "{view} calls functions with text bodies, so the tables that they read cannot be locked. Declare what"
                " they read in a line of its query: -- depends_on: reporting.a",
                view=view,
            )


def estimate_group(durations: Iterable[tuple[object, timedelta]]) -> timedelta:
    """Estimate a group from its members' last refreshes, each with its start.

    Members that were refreshed together share the start and the duration.
    """
    by_start: dict[object, timedelta] = {}
    for start, duration in durations:
        by_start[start] = max(duration, by_start.get(start, timedelta()))
    return sum(by_start.values(), timedelta())
