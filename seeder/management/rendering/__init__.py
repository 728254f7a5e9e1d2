"""How commands show plans and runs: live on a terminal, a line an event elsewhere, or one JSON document."""

from contextlib import AbstractContextManager
from typing import Protocol, Self

from django.core.management.base import OutputWrapper

from seeder.domain.plan import RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management.rendering.run_event_lines import RunEventLines
from seeder.management.rendering.run_json import RunJsonDocument


class RunDisplay(AbstractContextManager["RunDisplay"], Protocol):
    """Shows either one plan or the events of one run."""

    def show_plan(self, plan: RefreshPlan) -> None: ...

    def on_event(self, event: RunEvent) -> None: ...

    def __enter__(self) -> Self: ...


def create_run_display(
    out: OutputWrapper, request: RefreshRequest, *, json: bool, table: bool, color: bool
) -> RunDisplay:
    """Return the display for the options and the kind of output."""
    if json:
        return RunJsonDocument(out)
    if not (table or out.isatty()):
        return RunEventLines(out, request)
    # Importing rich takes a tenth of the start of a command, and most runs have no terminal.
    from seeder.management.rendering.run_live_terminal import RunLiveTerminal
    from seeder.management.rendering.run_tables import RunTables

    if out.isatty():
        return RunLiveTerminal(out, request, color=color)
    return RunTables(out, request, color=color)
