"""When a skip is considered, and how old a proof may be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.read_relations import ReadRelation, ReadRelations
from seeder.domain.skip_decision import (
    MAX_AGE,
    MIN_DURATION,
    PastRefresh,
    SkipAction,
    SkipFacts,
    SkipPolicy,
    plan_skip,
)
from seeder.domain.skip_proof import ChangedFact, RowVersions, SkipProof
from seeder.domain.view_names import ViewName

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = ViewName(schema="reporting", name="a")
ALLOWED = SkipPolicy()
PROOF = SkipProof(snapshot="100:103:101", server="s", view="v", catalog="c", environment="e", inputs={})
PAST = PastRefresh(
    refreshed_at=NOW - timedelta(days=1),
    duration=timedelta(seconds=5),
    rows=1,
    size_bytes=1,
    activity={1: 5},
    proof=PROOF,
)


def reads(*written: int) -> ReadRelations:
    """Return tables that a view reads, of which these rows were written by the statistics."""
    names = [ViewName(schema="s", name=str(oid)) for oid in range(len(written))]
    return ReadRelations(
        view_oid=9,
        relations=tuple(
            ReadRelation(oid=oid, kind="r", name=name, is_child=False, written=rows)
            for oid, (name, rows) in enumerate(zip(names, written, strict=True), start=1)
        ),
    )


FACTS = SkipFacts(
    exists=True,
    last_duration=MIN_DURATION,
    has_failed=False,
    has_checks=False,
    open_reasons=(),
    past=PAST,
    reads=reads(5),
)


def action(facts: SkipFacts, policy: SkipPolicy = ALLOWED) -> SkipAction:
    return plan_skip(VIEW, facts, policy, NOW).action


def test_quiet_view_with_a_proof_is_verified() -> None:
    assert action(FACTS) is SkipAction.VERIFY


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, last_duration=MIN_DURATION - timedelta(microseconds=1)),
        replace(FACTS, last_duration=None),
        replace(FACTS, exists=False),
        replace(FACTS, has_failed=True),
        replace(FACTS, has_checks=True),
        replace(FACTS, open_reasons=("calls now()",)),
        replace(FACTS, open_reasons=None),
        replace(FACTS, past=None),
        replace(FACTS, reads=reads(6)),
        replace(FACTS, reads=reads(5, 0)),
        replace(FACTS, reads=None),
    ],
)
def test_view_is_refreshed_without_a_proof(facts: SkipFacts) -> None:
    assert action(facts) is SkipAction.REFRESH


@pytest.mark.parametrize(
    "policy", [SkipPolicy(is_enabled=False), SkipPolicy(never=frozenset([VIEW])), SkipPolicy(is_forced=True)]
)
def test_skips_can_be_switched_off(policy: SkipPolicy) -> None:
    assert action(FACTS, policy) is SkipAction.REFRESH


@pytest.mark.parametrize(
    "past", [replace(PAST, proof=None), replace(PAST, refreshed_at=NOW - MAX_AGE)], ids=["no proof", "old"]
)
def test_quiet_view_without_a_young_proof_takes_one(past: PastRefresh) -> None:
    assert action(replace(FACTS, past=past)) is SkipAction.PROVE


@pytest.mark.parametrize("snapshot", ["99:103:", f"100:{100 + 2**31}:", f"{2**33}:{2**33}:"])
def test_proof_of_other_transactions_does_not_hold(snapshot: str) -> None:
    change = PROOF.changed_fact(replace(PROOF, snapshot=snapshot))
    assert change is not None
    assert change.fact is ChangedFact.TRANSACTIONS


def test_proof_holds_until_its_transaction_ids_are_used_again() -> None:
    assert PROOF.changed_fact(replace(PROOF, snapshot=f"{100 + 2**31 - 2**20}:{100 + 2**31 - 2**20}:")) is None


@pytest.mark.parametrize("first", [10, 2**32 - 5, 2**33 - 5])
def test_later_boundary_counts_rows_as_old(first: int) -> None:
    """The ids of rows have 32 bits, the boundary has 64."""
    young = {(first + number) % 2**32: 1 for number in range(10)}
    rows = RowVersions(name="t", old=3, young=young).as_of(first + 6)
    assert (rows.old, len(rows.young)) == (9, 4)
