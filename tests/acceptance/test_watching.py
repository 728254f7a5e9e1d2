"""`--watch` of the status commands: a picture that replaces the one before, until a signal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from seeder.errors import ServerUnreachable
from seeder.services import unix_signals
from seeder.services.queue import queue_overview
from seeder.services.stop_signal import StopSignal
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import create_custom_manifest, run_in_process

pytestmark = pytest.mark.usefixtures("contract_tables")


class StopAfterTwoWaits(StopSignal):
    def __init__(self) -> None:
        super().__init__()
        self.waits: list[timedelta] = []

    def wait(self, span: timedelta) -> None:
        self.waits.append(span)
        if len(self.waits) == 2:
            self.request("SIGINT")


@pytest.fixture(autouse=True)
def stop(monkeypatch: pytest.MonkeyPatch) -> StopAfterTwoWaits:
    signal = StopAfterTwoWaits()

    @contextmanager
    def stop_on_signal() -> Iterator[StopSignal]:
        yield signal

    monkeypatch.setattr(unix_signals, "stop_on_signal", stop_on_signal)
    return signal


def test_watched_status_is_drawn_over_the_previous_one(stop: StopAfterTwoWaits) -> None:
    for number in range(40):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    code, drawn = run_on_terminal("refresh_status", "--watch", "3")
    assert (code, stop.waits) == (0, [timedelta(seconds=3)] * 2)
    _, first, second = drawn.split("\x1b[H")
    for picture in (first, second):
        lines = plain_text(picture).splitlines()
        assert "until Ctrl-C" in lines[0]
        assert lines[1].startswith("40 views: ")
        assert len(lines) == 29, "the terminal has 30 lines"


def test_watched_queue_survives_an_unreachable_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ServerUnreachable(alias="default", address="a", cause="c", database="d")

    monkeypatch.setattr(queue_overview, "read_queue_overview", fail)
    ended = run_in_process("queue_status", "--watch")
    assert (ended.exit_code, ended.err, len(ended.lines)) == (0, "", 2)


def test_watched_status_is_repeated_in_a_file() -> None:
    ended = run_in_process("refresh_status", "--watch")
    assert ended.lines == ["0 views: 0 fresh, 0 failing, 0 running, 0 late", "No enabled manifest matches."] * 2
