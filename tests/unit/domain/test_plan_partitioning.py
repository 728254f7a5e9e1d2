from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.manifests import RejectedManifest, Selection, ViewSpec
from seeder.domain.plan import PlanInputs, RefreshPlan, build_plan
from seeder.domain.queue.plan_partitioning import partition_plan
from tests.unit.domain.plan_values import manifest, plan, view_key

NAMES = "abcdefgh"


def partition_contents(partitions: tuple[Selection, ...]) -> list[str]:
    """Return view names and rejected manifest numbers of each partition."""
    return [
        "".join(view.key.name.name for view in partition.views)
        + "".join(str(rejected_manifest.manifest.manifest_id) for rejected_manifest in partition.rejected)
        for partition in partitions
    ]


def rejected_manifest(name: str, number: int) -> RejectedManifest:
    return RejectedManifest(manifest=manifest(name, number), reason="bad_name", message="no")


def test_longest_view_goes_to_the_partition_with_the_least_work() -> None:
    refresh_plan = plan(*"abcde", seconds={"a": 7, "b": 6, "c": 5, "d": 4, "e": 3})
    assert partition_contents(partition_plan(refresh_plan, max_partitions=2)) == ["ade", "bc"]


def test_dependent_views_stay_in_one_partition_in_order() -> None:
    refresh_plan = plan(*"abcd", depends_on={"b": "a", "c": "b"}, seconds={"a": 1, "b": 1, "c": 1, "d": 5})
    assert partition_contents(partition_plan(refresh_plan, max_partitions=8)) == ["d", "abc"]


def test_chain_counts_with_all_its_views() -> None:
    refresh_plan = plan(*"abcde", depends_on={"b": "a", "c": "a"}, seconds={"a": 1, "b": 3, "c": 3, "d": 5, "e": 1})
    assert partition_contents(partition_plan(refresh_plan, max_partitions=2)) == ["abc", "de"]


def test_no_partition_is_empty() -> None:
    assert partition_contents(partition_plan(plan("a"), max_partitions=8)) == ["a"]
    assert partition_plan(RefreshPlan(), max_partitions=8) == ()


def test_rejected_manifests_are_distributed() -> None:
    refresh_plan = replace(
        plan("a", seconds={"a": 9}), rejected=tuple(rejected_manifest("x" * n, n) for n in (1, 2, 3))
    )
    assert partition_contents(partition_plan(refresh_plan, max_partitions=3)) == ["a", "13", "2"]


def test_views_with_one_status_row_stay_together() -> None:
    specs = [ViewSpec(key=view_key("a", database), manifests=(manifest("a"),)) for database in ("default", "archive")]
    refresh_plan = replace(
        build_plan(Selection(views=tuple(specs)), PlanInputs()),
        rejected=(rejected_manifest("a", 7), rejected_manifest("b", 8)),
    )
    assert partition_contents(partition_plan(refresh_plan, max_partitions=8)) == ["aa7", "8"]


def test_views_stay_together_if_dependencies_are_unknown() -> None:
    refresh_plan = replace(plan(*"abc"), warnings={"default": "unknown"})
    assert partition_contents(partition_plan(refresh_plan, max_partitions=8)) == ["abc"]
    assert len(partition_plan(replace(refresh_plan, warnings={"archive": "unknown"}), max_partitions=8)) == 3


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.lists(st.integers(0, 100), min_size=len(NAMES), max_size=len(NAMES)),
    st.integers(1, 10),
)
def test_every_view_is_in_one_partition_with_its_dependencies(
    reads: dict[str, set[str]], seconds: list[int], max_partitions: int
) -> None:
    durations: dict[str, float] = dict(zip(NAMES, seconds, strict=True))
    refresh_plan = plan(
        *NAMES, depends_on={name: " ".join(names_read) for name, names_read in reads.items()}, seconds=durations
    )
    partitions = partition_plan(refresh_plan, max_partitions=max_partitions)
    assert Counter("".join(partition_contents(partitions))) == Counter(NAMES)
    assert len(partitions) <= max_partitions
    for partition in partitions:
        assert partition.views
        keys = {view.key for view in partition.views}
        planned = [view for view in refresh_plan.views if view.key in keys]
        assert all(view.depends_on <= keys for view in planned)
        assert list(partition.views) == [view.spec for view in planned], "in the plan's order"
    loads = [sum(durations[view.key.name.name] for view in partition.views) for partition in partitions]
    largest = max(
        sum(durations[view.key.name.name] for view in partition.views)
        for partition in partition_plan(refresh_plan, max_partitions=len(NAMES))
    )
    assert max(loads) <= sum(seconds) / len(partitions) + largest, "as good as list scheduling"
    assert partition_plan(refresh_plan, max_partitions=max_partitions) == partitions


def test_estimate_counts_like_a_measurement() -> None:
    refresh_plan = plan(*"abc", seconds={"a": 10, "b": 10}, rows={"a": 10, "b": 10, "c": 20})
    assert partition_contents(partition_plan(refresh_plan, max_partitions=2)) == ["c", "ab"]
    assert refresh_plan.views[0].critical_path == timedelta(seconds=20)
