"""Rules of consistent groups."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from seeder.domain.consistent_groups import (
    ConsistentGroup,
    GroupSetting,
    MemberFacts,
    close_groups,
    estimate_group,
    form_groups,
    in_dependency_order,
    refusals,
    views_between,
)
from seeder.domain.group_options import GroupOptions
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.plan import PlannedGroup
from seeder.domain.queue.plan_partitioning import partition_plan
from seeder.domain.ready_queue import ReadyQueue
from seeder.domain.view_names import ViewName
from tests.unit.domain.plan_values import manifest, plan, view_key


def keys(names: str) -> frozenset[ViewKey]:
    return frozenset(map(view_key, names.split()))


def graph(**reads: str) -> dict[ViewKey, frozenset[ViewKey]]:
    return {view_key(name): keys(read) for name, read in reads.items()}


def group(names: str, *, name: str = "g", **options: Any) -> ConsistentGroup:
    return ConsistentGroup(names=frozenset({name}), members=keys(names), options=GroupOptions(**options))


def spec(name: str, *, agency: str = "demo", database: str = "default") -> ViewSpec:
    return ViewSpec(key=view_key(name, database), manifests=(manifest(name, agency=agency),))


def agencies_of(specs: list[ViewSpec]) -> dict[ViewKey, set[str]]:
    return {one.key: {manifest.agency_slug for manifest in one.manifests} for one in specs}


def setting(name: str, views: str = "", agencies: str = "") -> GroupSetting:
    return GroupSetting(
        name=name,
        views=frozenset(ViewName(schema="reporting", name=one) for one in views.split()),
        agencies=frozenset(agencies.split()),
    )


def test_views_between_members_are_found_through_others() -> None:
    reads = graph(b="a", c="b x", d="c", below="d", x="above")
    assert views_between(keys("a d"), reads) == keys("b c")
    assert views_between(keys("a x"), reads) == set()
    assert views_between(keys("d"), reads) == set()


def test_group_is_closed_by_listed_views_and_reports_the_others() -> None:
    reads = graph(b="a", c="b")
    [closed] = close_groups([group("a c")], reads, listed=keys("a b c"))
    assert (closed.members, closed.unlisted) == (keys("a b c"), frozenset())
    [open_group] = close_groups([group("a c")], reads, listed=keys("a c"))
    assert (open_group.members, open_group.unlisted) == (keys("a c"), frozenset({view_key("b").name}))


def test_groups_that_meet_in_a_view_between_are_merged() -> None:
    reads = graph(b="a", c="b", x="b", y="x")
    groups = [
        group("a c", name="one", allow_blocking=True),
        group("b y", name="two", max_duration=timedelta(seconds=9)),
    ]
    [merged] = close_groups(groups, reads, listed=keys("a b c x y"))
    assert (str(merged), merged.members, merged.options) == (
        "one + two",
        keys("a b c x y"),
        GroupOptions(max_duration=timedelta(seconds=9)),
    )


def test_settings_that_share_a_view_are_one_group_in_each_database() -> None:
    specs = [spec("a"), spec("b", agency="metro"), spec("c"), spec("d", agency="metro", database="other")]
    formed = form_groups(
        agencies_of(specs), [setting("one", "a b"), setting("two", agencies="metro"), setting("three", "c")]
    )
    assert sorted((str(one), one.members) for one in formed) == [
        ("one + two", keys("a b")),
        ("three", keys("c")),
        ("two", {view_key("d", "other")}),
    ]


def test_view_without_manifest_is_unlisted() -> None:
    [formed] = form_groups(agencies_of([spec("a")]), [setting("one", "a typo")])
    assert formed.unlisted == {view_key("typo").name}


def test_members_that_cannot_be_refreshed_together_are_refused() -> None:
    members = {
        view_key("a"): MemberFacts(has_unique_index=False),
        view_key("b"): MemberFacts(unlockable_inputs=("sales.orders",)),
        view_key("c"): MemberFacts(hides_inputs=True),
        view_key("d", "other"): MemberFacts(),
        view_key("never_filled"): MemberFacts(is_filled=False, has_unique_index=False),
    }
    found = list(refusals(members, allow_blocking=False, default_database="default"))
    assert [one.partition(" ")[0] for one in found] == [f"reporting.{name}" for name in "abcd"]
    assert len(list(refusals(members, allow_blocking=True, default_database="default"))) == 3


def test_group_that_was_refreshed_together_is_estimated_once() -> None:
    together = [("monday", timedelta(seconds=60))] * 3
    assert estimate_group([*together, ("tuesday", timedelta(seconds=5))]) == timedelta(seconds=65)


def test_group_is_one_unit_of_the_ready_queue() -> None:
    one_plan = plan("a", "b", "c", "x", "y", depends_on={"c": "b", "b": "a x", "y": "c"})
    by_name = {view.key.name.name: view for view in one_plan.views}
    members = in_dependency_order([by_name["c"], by_name["b"], by_name["a"]])
    assert [view.key.name.name for view in members] == ["a", "b", "c"]
    planned = PlannedGroup(name="g", views=members, estimated_duration=timedelta())
    queue = ReadyQueue(one_plan.views, [planned])
    assert list(queue) == [by_name["x"]]
    assert list(queue.mark_done(queue.take())) == [by_name["a"]]
    assert list(queue.mark_done(queue.take())) == [by_name["y"]]


def test_group_stays_in_one_part_of_the_queue() -> None:
    one_plan = plan("a", "b", "c")
    members = tuple(view for view in one_plan.views if view.key.name.name != "b")
    planned = PlannedGroup(name="g", views=members, estimated_duration=timedelta())
    parts = partition_plan(replace(one_plan, groups=(planned,)), max_partitions=3)
    assert sorted(len(part.views) for part in parts) == [1, 2]
