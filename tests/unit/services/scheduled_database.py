"""A scheduler of one database, with a clock that the test advances."""

from collections.abc import Mapping
from datetime import timedelta
from queue import SimpleQueue

from seeder.domain.admission_types import AdmissionDecision, Admit
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.run_events import RunEvent, ViewEnded, ViewStarted
from seeder.services.run.database_scheduler import DatabaseScheduler, StartPolicy
from seeder.services.run.worker_pool import Ended, Ending
from tests.unit.services.run_callbacks import REFRESHED, run_callbacks


class ScheduledDatabase:
    """A scheduler, with everything that a test sets or reads."""

    def __init__(self, plan: RefreshPlan, policy: StartPolicy) -> None:
        self.now = 0.0
        self.decision: AdmissionDecision = Admit.BATCH
        self.decisions = 0
        self.events: list[RunEvent] = []
        self.contexts: dict[str, StartContext] = {}
        self.recorded: list[tuple[str, bool]] = []
        self._ended = SimpleQueue[Ended | None]()
        callbacks = run_callbacks(
            self._refresh,
            admit=self._admit,
            record_result=lambda view, _, context: self.recorded.append((view.key.name.name, context.is_trial)),
            on_event=self.events.append,
            clock=lambda: self.now,
        )
        self.scheduler = DatabaseScheduler(
            plan.views,
            policy=policy,
            callbacks=callbacks,
            ended_views=self._ended,
            results={},
            groups=plan.groups,
        )

    def start(self) -> list[str]:
        """Start what can start. Return the started views, then the given-up ones with `!` before their names."""
        before = len(self.events)
        self.scheduler.start_views()
        events = self.events[before:]
        started = [event.view.key.name.name for event in events if isinstance(event, ViewStarted)]
        return started + [f"!{event.view.key.name.name}" for event in events if isinstance(event, ViewEnded)]

    def end(self, result: Ending = REFRESHED) -> str:
        """End the first running view. Return its name."""
        ended = self._ended.get(timeout=10)
        assert ended
        self.scheduler.finish(ended[0], result)
        return ended[0].key.name.name

    def end_shared(self) -> list[str]:
        """End the first running start. Return the names of its views."""
        ended = self._ended.get(timeout=10)
        assert ended
        first, results = ended
        assert isinstance(results, Mapping)
        self.scheduler.finish(first, results)
        return [view.key.name.name for view in results]

    def separate(self) -> None:
        """Have the views of the first running start unable to share a transaction."""
        ended = self._ended.get(timeout=10)
        assert ended
        self.scheduler.separate(ended[0])

    def waits(self, name: str) -> tuple[timedelta, timedelta]:
        return self.contexts[name].waits.worker_wait, self.contexts[name].waits.throttle_wait

    def _refresh(self, view: PlannedView, context: StartContext) -> RefreshResult:
        self.contexts[view.key.name.name] = context
        return REFRESHED

    def _admit(self, database: str) -> AdmissionDecision:
        assert database == "default"
        self.decisions += 1
        return self.decision


def scheduled(databases: list[ScheduledDatabase], plan: RefreshPlan, policy: StartPolicy) -> ScheduledDatabase:
    databases.append(ScheduledDatabase(plan, policy))
    return databases[-1]
