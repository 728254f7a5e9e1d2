"""Sentences of an explanation can be translated as a whole: no word is outside of a template."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.domain.data_checks.check_order import CheckOrder
from seeder.domain.explanation.facts import (
    AppliedContract,
    OpenWaiver,
    RefreshMetrics,
    RelatedView,
    Relations,
    StoredCheck,
    StoredRefresh,
    ViewStory,
)
from seeder.domain.explanation.outlook import GroupOutlook, Outlook, PlannedStep, outlook_decisions
from seeder.domain.explanation.refresh_decisions import refresh_decisions
from seeder.domain.explanation.state_decisions import state_decisions
from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.data_age import DataAge
from seeder.domain.freshness.states import FreshnessState, Judgement, LateCause, ViewFacts
from seeder.domain.group_endings import GroupEnding, MemberEnding
from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import PastRefresh, RefreshMode
from seeder.domain.monitoring.timeline import HoldInterval
from seeder.domain.outcomes import Status
from seeder.domain.plan import PlannedAction
from seeder.domain.refresh_mode import ModeFacts, ReaderLimits, choose_mode
from seeder.domain.skip_decision import SkipFacts, SkipPolicy, rule_out
from seeder.domain.view_names import ViewName
from seeder.texts import Text

NOW, HOUR = datetime(2026, 1, 2, tzinfo=UTC), timedelta(hours=1)
NAME = ViewName(schema="V1", name="V2")
VIEW = ViewKey(database="D1", name=NAME)


class OnlyArguments:
    """A catalog whose messages have no words."""

    def gettext(self, message: str, context: str | None = None) -> str:  # noqa: ARG002  # as in the protocol
        return " ".join(re.findall(r"{[^}]*}", message))

    def ngettext(self, singular: str, plural: str, number: int, context: str | None = None) -> str:  # noqa: ARG002  # as in the protocol
        return self.gettext(singular if number == 1 else plural)

    def localize(self, value: object, spec: str) -> str:
        return "TIME" if isinstance(value, datetime) else format(value, spec)


def failed(**facts: object) -> StoredRefresh:
    values = {"run_id": "R1", "status": Status.ERROR, "started_at": NOW - HOUR, "finished_at": NOW, "message": "M1"}
    return StoredRefresh(history_id=1, rows=None, size_bytes=None, **{**values, **facts})  # type: ignore[arg-type]


def story(last: StoredRefresh) -> ViewStory:
    success = failed(
        status=Status.SUCCESS,
        metrics=RefreshMetrics(mode=RefreshMode.CONCURRENT, rows_inserted=1, rows_deleted=2),
    )
    contract = FreshnessContract(id=1, view=NAME, agency=None, target_lag=HOUR, due=None)
    judgement = Judgement(state=FreshnessState.LATE, cause=LateCause.FAILED, deadline=NOW - HOUR)
    return ViewStory(
        view=VIEW,
        now=NOW,
        exists=True,
        age=DataAge(as_of=NOW - 2 * HOUR),
        facts=ViewFacts(last_success_at=NOW - HOUR),
        last=last,
        last_ended=last if last.finished_at else success,
        last_success=success,
        checks=[StoredCheck(name="C1", kind="K1", severity="warn", outcome="failed", figures={}, text="F1")],
        waivers=[
            OpenWaiver(
                check_name="C1",
                figures={},
                sqlstate=None,
                reason="W1",
                granted_by="U1",
                granted_at=NOW,
                expires_at=NOW,
            )
        ],
        contracts=[AppliedContract(contract=contract, judgement=judgement)],
        relations=Relations(views=[RelatedView(view=VIEW, facts=ViewFacts(failing=True))], calls_opaque_functions=True),
    )


GROUP = GroupEnding(name="G1", members=[MemberEnding(view="V1", status=Status.ERROR, reason="X1")], attempts=2)
HOLD = HoldInterval(database="D1", reason="server_busy", started_at=NOW - HOUR, finished_at=None)


@pytest.mark.parametrize(
    "last",
    [
        failed(reason="X1", run_description="Q1", requested_by="U1", consecutive_failures=2),
        failed(is_interrupted=True),
        failed(reason="circuit_open", holds=[HOLD], metrics=RefreshMetrics(attempts=2, throttle_wait=HOUR)),
        failed(reason="held_group", group=GROUP),
        failed(status=Status.PENDING, finished_at=None),
        failed(status=Status.PENDING, finished_at=None, holds=[replace(HOLD, reason="H1")]),
        failed(status=Status.RUNNING, finished_at=None),
    ],
)
def test_every_word_of_an_explanation_is_in_a_template(last: StoredRefresh) -> None:
    of_last = story(last)
    past = PastRefresh(mode=RefreshMode.PLAIN, duration=HOUR, rows=1, size_bytes=1)
    skip = rule_out(NAME, SkipFacts(exists=True, last_duration=None, has_failed=False, has_checks=False), SkipPolicy())
    outlook = Outlook(
        steps=[PlannedStep(view=VIEW, action=PlannedAction.REFRESH, after=(), expected_duration=None)],
        mode=choose_mode(ModeFacts(past=(past,)), ReaderLimits(budget=timedelta()), NOW),
        skip=skip,
        group=GroupOutlook(name="G1", others=["V2"], hidden_others=1, estimated_duration=HOUR, refusals=()),
        checks=2,
        check_order=CheckOrder(runs_before=True, inside=("C1", "C2")),
        breaker=CircuitBreakerState(failures=5, opened_at=NOW, causes={f"V{number}": "X1" for number in range(5)}),
        next_trial_at=NOW + HOUR,
        active_queries=1,
        blocking_sessions=["S1"],
        age_alone=DataAge(as_of=NOW - HOUR),
        age_together=DataAge(as_of=NOW),
    )
    decisions = [*refresh_decisions(of_last), *state_decisions(of_last), *outlook_decisions(of_last, outlook)]
    for decision in decisions:
        assert isinstance(decision.text, Text), decision
        shown = decision.text.translated(OnlyArguments())
        assert not re.search("[a-z]{2}", shown), f"{decision.text} | {shown}"
