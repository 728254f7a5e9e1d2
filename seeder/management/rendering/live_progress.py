"""Live progress of a run on a terminal: running views, finished views, and the remaining time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text as RichText

from seeder.domain.admission_types import Hold
from seeder.domain.human_format import format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.remaining_time import estimate_remaining
from seeder.domain.run_events import (
    RunEnded,
    RunEvent,
    RunStarted,
    StartsHeld,
    StartsResumed,
    ViewEnded,
    ViewPostponed,
    ViewStarted,
)
from seeder.management.rendering.rich_output import line_text, undisturbed
from seeder.texts import Text

_MAX_RUNNING_SHOWN = 12  # views; a terminal has 24 lines
_MAX_BAR_WIDTH, _MIN_BAR_WIDTH = 30, 8
_TEXT_WIDTH = 58  # of the longest usual text beside the bar in English


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
        self._console = console
        self._live = Live(
            console=console,
            get_renderable=self.render,
            transient=True,
            redirect_stderr=False,
        )

    def close(self) -> None:
        self._live.stop()

    def undisturbed(self) -> AbstractContextManager[None]:
        """Return a context in which lines can be printed above the picture."""
        return undisturbed(self._live)

    def on_event(self, event: RunEvent) -> None:
        match event:
            case RunStarted(plan=plan, workers=workers):
                self._plan, self._workers, self._started_at = plan, workers, self._clock()
                self._live.start(refresh=True)
            case ViewStarted(view=view):
                self._running[view] = self._clock()
            case ViewPostponed(view=view):
                self._running.pop(view)
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
        views.add_column(no_wrap=True, overflow="ellipsis")
        views.add_column(no_wrap=True)
        for view, elapsed in list(running.items())[:_MAX_RUNNING_SHOWN]:
            times = [_calm_text(elapsed)]
            if view.expected_duration:
                times.append(Text("last time {duration}", duration=_calm_text(view.expected_duration)))
            views.add_row(line_text(f"  {view.key.name}"), line_text((Text.joined(times), "dim")))
        if len(running) > _MAX_RUNNING_SHOWN:
            views.add_row(_line(Text("and {number} more", number=len(running) - _MAX_RUNNING_SHOWN), "dim"))
        for hold in list(self._holds.values()):
            views.add_row(_line(Text("waiting: {cause}", cause=hold.message), "yellow"))
        remaining = estimate_remaining(
            self._plan.views,
            ended=frozenset(self._finished_views),
            running={view.key: elapsed for view, elapsed in running.items()},
            workers=self._workers,
        )
        finished_count, view_count = len(self._finished_views), len(self._plan.views)
        done = Text("{completed} of {total} done", completed=finished_count, total=view_count)
        run_time = _calm_text(timedelta(seconds=now - self._started_at))
        facts = [(done, "")]
        if self._failed_count:
            facts.append((Text("{number} failed", number=self._failed_count), "bold red"))
        facts.append((Text("{duration} elapsed", duration=run_time), "dim"))
        if remaining:
            facts.append((Text("about {duration} left", duration=_calm_text(remaining)), "dim"))
        shown = RichText("  ", no_wrap=True).join(map(line_text, facts))
        # A bar that is as wide as the rest of the line would change with every digit.
        text_width = _TEXT_WIDTH + shown.cell_len - len("  ".join(text for text, _ in facts))
        bar_width = min(max(self._console.width - text_width, _MIN_BAR_WIDTH), _MAX_BAR_WIDTH)
        total = Table.grid(padding=(0, 1))
        total.add_row(ProgressBar(total=view_count or 1, completed=finished_count, width=bar_width), shown)
        return Group(views, total)


def _line(text: Text, style: str) -> RichText:
    return line_text((Text.joined(["  ", text], ""), style))


def _calm_text(span: timedelta) -> Text:
    """Return a duration in whole seconds."""
    seconds = round(span.total_seconds())
    return Text("{seconds} s", seconds=seconds) if seconds < 60 else format_duration(timedelta(seconds=seconds))
