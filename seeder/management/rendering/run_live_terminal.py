"""A run as it goes on, drawn in place: which views run, how many are done, how long it has taken and will take."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Self

from django.core.management.base import OutputWrapper
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from seeder.domain.admission_decisions import Hold
from seeder.domain.human_format import format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.remaining_time import estimate_remaining
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, StartsHeld, StartsResumed, ViewEnded, ViewStarted
from seeder.management.rendering.run_tables import RunTables

_MAX_RUNNING_SHOWN = 12  # of the running views; a terminal has 24 lines


class RunLiveTerminal(RunTables):
    """The live picture while the run lasts, then the table."""

    def __init__(
        self,
        out: OutputWrapper,
        request: RefreshRequest,
        *,
        color: bool = True,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(out, request, color=color)
        self._clock = clock
        self._plan = RefreshPlan()
        self._workers = 1
        self._started_at = clock()
        self._running: dict[PlannedView, float] = {}
        self._finished_views: set[ViewKey] = set()
        self._failed_count = 0
        self._holds: dict[str, Hold] = {}
        self._spinner = Spinner("dots")
        self._live = Live(console=self.console, get_renderable=self.render, transient=True, redirect_stderr=False)

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def on_event(self, event: RunEvent) -> None:
        match event:
            case RunStarted(plan=plan, workers=workers):
                self._plan, self._workers, self._started_at = plan, workers, self._clock()
                self._live.start(refresh=True)
            case ViewStarted(view=view):
                self._running[view] = self._clock()
            case ViewEnded(view=view, result=result):
                self._running.pop(view)
                self._finished_views.add(view.key)
                self._failed_count += result.failure is not None
            case StartsHeld(database=database, hold=hold):
                self._holds[database] = hold
            case StartsResumed(database=database):
                self._holds.pop(database, None)
            case RunEnded():
                self._live.stop()
        super().on_event(event)

    def render(self) -> Group:
        """What is on the screen at this moment; drawn by Rich's own thread."""
        now = self._clock()
        running = {view: timedelta(seconds=now - since) for view, since in list(self._running.items())}
        remaining_time = estimate_remaining(
            self._plan.views,
            ended=frozenset(self._finished_views),
            running={view.key: span for view, span in running.items()},
            workers=self._workers,
        )
        views = Table.grid(padding=(0, 1))
        for view, span in list(running.items())[:_MAX_RUNNING_SHOWN]:
            expected_text = (
                "" if view.expected_duration is None else f", last time {format_duration(view.expected_duration)}"
            )
            views.add_row(
                self._spinner, Text(str(view.key.name)), Text(f"{format_duration(span)}{expected_text}", style="dim")
            )
        hidden_count = len(running) - _MAX_RUNNING_SHOWN
        if hidden_count > 0:
            views.add_row("", Text(f"and {hidden_count} more", style="dim"))
        for hold in list(self._holds.values()):
            views.add_row("", Text(f"waiting: {hold.message}", style="yellow"))
        total = Table.grid(padding=(0, 1))
        total.add_row(
            ProgressBar(total=len(self._plan.views) or 1, completed=len(self._finished_views), width=30),
            Text(f"{len(self._finished_views)} of {len(self._plan.views)} done"),
            Text(f"{self._failed_count} failed" if self._failed_count else "", style="bold red"),
            Text(f"{format_duration(timedelta(seconds=now - self._started_at))} elapsed", style="dim"),
            Text(f"about {format_duration(remaining_time)} left" if remaining_time else "", style="dim"),
        )
        return Group(views, total)

    def __enter__(self) -> Self:
        return self
