from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from seeder.domain.manifests import RejectedManifest, Selection, ViewSpec
from seeder.domain.plan import PlanInputs, RefreshPlan, build_plan
from seeder.domain.queue.plan_partitioning import PartContents, PlanPartition, partition_plan
from tests.unit.domain.plan_values import manifest, plan, view_key

NAMES = "abcdefgh"


def names(parts: tuple[PlanPartition, ...]) -> list[str]:
    """The views of each part; of a complaint, its number."""
    return [
        "".join(view.key.name.name for view in part.views)
        + "".join(str(complaint.manifest.manifest_id) for complaint in part.rejected)
        for part in parts
    ]


def complaint(name: str, number: int) -> RejectedManifest:
    return RejectedManifest(manifest=manifest(name, number), reason="bad_name", message="no")


def test_the_longest_goes_first_to_whoever_has_the_least_to_do() -> None:
    drawn = plan(*"abcde", seconds={"a": 7, "b": 6, "c": 5, "d": 4, "e": 3})
    assert names(partition_plan(drawn, max_partitions=2)) == ["ade", "bc"]


def test_views_that_read_one_another_stay_in_one_part_and_in_order() -> None:
    drawn = plan(*"abcd", depends_on={"b": "a", "c": "b"}, seconds={"a": 1, "b": 1, "c": 1, "d": 5})
    assert names(partition_plan(drawn, max_partitions=8)) == ["d", "abc"]


def test_a_chain_counts_with_all_its_views() -> None:
    drawn = plan(*"abcde", depends_on={"b": "a", "c": "a"}, seconds={"a": 1, "b": 3, "c": 3, "d": 5, "e": 1})
    assert names(partition_plan(drawn, max_partitions=2)) == ["abc", "de"]


def test_no_part_is_empty() -> None:
    assert names(partition_plan(plan("a"), max_partitions=8)) == ["a"]
    assert partition_plan(RefreshPlan(), max_partitions=8) == ()
    assert PartContents.of_selection(Selection()) == ()


def test_what_is_refused_is_shared_out_too() -> None:
    drawn = replace(plan("a", seconds={"a": 9}), rejected=tuple(complaint("x" * n, n) for n in (1, 2, 3)))
    assert names(partition_plan(drawn, max_partitions=3)) == ["a", "13", "2"]


def test_what_shares_a_status_row_is_not_torn_apart() -> None:
    specs = [ViewSpec(key=view_key("a", database), manifests=(manifest("a"),)) for database in ("default", "archive")]
    drawn = replace(
        build_plan(Selection(views=tuple(specs)), PlanInputs()), rejected=(complaint("a", 7), complaint("b", 8))
    )
    assert names(partition_plan(drawn, max_partitions=8)) == ["aa7", "8"]


def test_where_nobody_knows_what_views_read_they_stay_together() -> None:
    drawn = replace(plan(*"abc"), undetermined_databases=frozenset({"default"}))
    assert names(partition_plan(drawn, max_partitions=8)) == ["abc"]
    assert len(partition_plan(replace(drawn, undetermined_databases=frozenset({"archive"})), max_partitions=8)) == 3


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.lists(st.integers(0, 100), min_size=len(NAMES), max_size=len(NAMES)),
    st.integers(1, 10),
)
def test_every_view_is_in_one_part_with_all_that_it_reads(
    reads: dict[str, set[str]], seconds: list[int], most: int
) -> None:
    took: dict[str, float] = dict(zip(NAMES, seconds, strict=True))
    drawn = plan(*NAMES, depends_on={name: " ".join(others) for name, others in reads.items()}, seconds=took)
    parts = partition_plan(drawn, max_partitions=most)
    assert Counter("".join(names(parts))) == Counter(NAMES)
    assert len(parts) <= most
    for part in parts:
        assert part.views
        keys = {view.key for view in part.views}
        assert all(view.depends_on <= keys for view in part.views)
        assert list(part.views) == [view for view in drawn.views if view.key in keys], "in the plan's order"
    loads = [sum(took[view.key.name.name] for view in part.views) for part in parts]
    largest = max(
        sum(took[view.key.name.name] for view in part.views)
        for part in partition_plan(drawn, max_partitions=len(NAMES))
    )
    assert max(loads) <= sum(seconds) / len(parts) + largest, "as good as list scheduling"
    assert partition_plan(drawn, max_partitions=most) == parts


def test_a_guess_counts_like_a_measurement() -> None:
    drawn = plan(*"abc", seconds={"a": 10, "b": 10}, rows={"a": 10, "b": 10, "c": 20})
    assert names(partition_plan(drawn, max_partitions=2)) == ["c", "ab"]
    assert drawn.views[0].critical_path == timedelta(seconds=20)
