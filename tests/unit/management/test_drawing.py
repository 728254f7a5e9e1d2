"""Lines that are printed above a picture that another thread draws."""

import re
import sys
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from rich.live import Live

from seeder.domain.plan import RefreshPlan
from seeder.domain.run_events import RunStarted, ViewEnded, ViewStarted
from seeder.management.rendering.run_display import show_run
from tests.acceptance.terminal_output import screen_lines
from tests.unit.domain.plan_values import plan
from tests.unit.management.test_run_rendering import REFRESHED, REQUEST, Screen, command_output

VIEWS = 150


@pytest.fixture(autouse=True)
def busy_drawer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw all the time, and let the threads alternate often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    stopped, drawers = Event(), list[Thread]()
    start = Live.start

    def start_drawing(live: Live, refresh: bool = False) -> None:  # noqa: FBT001, FBT002  # as rich has it
        def draw() -> None:
            while not stopped.is_set():
                live.refresh()

        start(live, refresh)
        drawers.append(Thread(target=draw))
        drawers[0].start()

    stop = Live.stop

    def stop_drawing(live: Live) -> None:
        stopped.set()
        stop(live)

    monkeypatch.setattr(Live, "start", start_drawing)
    monkeypatch.setattr(Live, "stop", stop_drawing)
    yield
    sys.setswitchinterval(interval)
    for drawer in drawers:
        drawer.join()


def shown_numbers(drawn: str) -> list[int]:
    return [int(found[1]) for line in screen_lines(drawn) if (found := re.match(r"\[ *(\d+)/", line))]


def test_lines_of_views_stay_while_the_picture_changes() -> None:
    views = plan(*(f"v{number}" for number in range(VIEWS))).views
    with show_run(command_output(out := Screen()), REQUEST) as on_event:
        on_event(RunStarted(run_id="r1", plan=RefreshPlan(views=views), workers=2))
        for view in views:
            on_event(ViewStarted(view=view))
            on_event(ViewEnded(view=view, result=REFRESHED))
    assert shown_numbers(out.getvalue()) == list(range(1, VIEWS + 1))


def test_messages_stay_while_the_bar_changes() -> None:
    with command_output(out := Screen()).show_progress("views") as advance:
        for number in range(1, VIEWS + 1):
            advance(number, VIEWS, f"[{number}/", detail="long" if number % 2 else "")
    assert shown_numbers(out.getvalue()) == list(range(1, VIEWS + 1))
