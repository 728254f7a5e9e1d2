"""Live progress of a run on a terminal: running views, finished views, and the remaining time."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from seeder.domain.admission_types import Hold
from seeder.domain.human_format import format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.remaining_time import estimate_remaining
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, StartsHeld, StartsResumed, ViewEnded, ViewStarted
from seeder.management.rendering.rich_output import line_text

_MAX_RUNNING_SHOWN = 12  # views; a terminal has 24 lines


class LiveProgress:
    """Draws the progress until the run ends, then erases it."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._plan = RefreshPlan()
        self._workers = 1
        self._started_at = clock()
        self._running: dict[PlannedView, float] = {}
        self._finished_views: set[ViewKey] = set()
        self._failed_count = 0
        self._holds: dict[str, Hold] = {}
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self.render, transient=True, redirect_stderr=False)

    def close(self) -> None:
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

    def render(self) -> Group:
        """Return the current picture. The thread of rich calls it."""
        now = self._clock()
        running = {view: timedelta(seconds=now - since) for view, since in list(self._running.items())}
        views = Table.grid(padding=(0, 1))
        for view, elapsed in list(running.items())[:_MAX_RUNNING_SHOWN]:
            expected = f", last time {format_duration(view.expected_duration)}" if view.expected_duration else ""
            elapsed_text = Text(f"{format_duration(elapsed)}{expected}", style="dim")
            views.add_row(self._spinner, line_text(str(view.key.name)), elapsed_text)
        if len(running) > _MAX_RUNNING_SHOWN:
            views.add_row("", Text(f"and {len(running) - _MAX_RUNNING_SHOWN} more", style="dim"))
        for hold in list(self._holds.values()):
            views.add_row("", line_text((f"waiting: {hold.message}", "yellow")))
        remaining = estimate_remaining(
            self._plan.views,
            ended=frozenset(self._finished_views),
            running={view.key: elapsed for view, elapsed in running.items()},
            workers=self._workers,
        )
        finished_count, view_count = len(self._finished_views), len(self._plan.views)
        total = Table.grid(padding=(0, 1))
        total.add_row(
            ProgressBar(total=view_count or 1, completed=finished_count, width=30),
            Text(f"{finished_count} of {view_count} done"),
            Text(f"{self._failed_count} failed" if self._failed_count else "", style="bold red"),
            Text(f"{format_duration(timedelta(seconds=now - self._started_at))} elapsed", style="dim"),
            Text(f"about {format_duration(remaining)} left" if remaining else "", style="dim"),
        )
        return Group(views, total)
