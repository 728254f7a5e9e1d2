"""How commands show plans and runs: live on a terminal, a line an event elsewhere, or one JSON document."""

from contextlib import AbstractContextManager
from typing import Protocol, Self

from django.core.management.base import OutputWrapper

from seeder.domain.plan import RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management.rendering.document import Document
from seeder.management.rendering.lines import Lines


class Display(AbstractContextManager["Display"], Protocol):
    """Shows either one plan or the events of one run."""

    def plan(self, plan: RefreshPlan) -> None: ...

    def hear(self, event: RunEvent) -> None: ...

    def __enter__(self) -> Self: ...


def display(out: OutputWrapper, request: RefreshRequest, *, json: bool, table: bool, color: bool) -> Display:
    """The display that suits the options and where the output goes."""
    if json:
        return Document(out)
    if not (table or out.isatty()):
        return Lines(out, request)
    # Rich is a tenth of a command's start, and most nights nobody looks.
    from seeder.management.rendering.tables import Tables
    from seeder.management.rendering.terminal import Terminal

    if out.isatty():
        return Terminal(out, request, color=color)
    return Tables(out, request, color=color)
