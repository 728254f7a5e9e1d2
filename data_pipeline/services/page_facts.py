"""Facts of the pages of loads and rejects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.reject_highlights import RejectText, Segment, shortened
from data_pipeline.domain.rejects import Problem, RejectState
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadEvent, LoadLog, LoadReject
from data_pipeline.postgres import filter_choices, kept_rejects, load_log
from data_pipeline.services.load_lookup import csv_format_of
from seeder.postgres.sqlstates import condition_name

_FIRST_REJECTS = 20
_MAX_EVENTS = 200
# Facts of events that have a place of their own on the page, or that can quote data.
_HIDDEN_FACTS = {"source", "normalize_errors"}
_QUOTING_FACTS = {"error"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownProblem:
    """A problem of a rejected record, as the user may see it."""

    column: str | None
    value: str | None
    sqlstate: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownReject:
    """A rejected record, as the user may see it."""

    row: LoadReject
    segments: Sequence[Segment]
    problems: Sequence[ShownProblem]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownEvent:
    """An event of a load, as the user may see it."""

    row: LoadEvent
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPage:
    """Everything that the page of a load shows, except for its lineage."""

    load: LoadLog
    is_stuck: bool
    error: str | None
    events: Sequence[ShownEvent]
    rejects: Sequence[ShownReject]  # the first ones
    reject_counts: Mapping[RejectState, int]  # of kept rejects


def read_load_page(load_id: int, *, shows_values: bool) -> LoadPage:
    """Read a load. Without `shows_values`, nothing quotes data of the file. Raises `UnknownLoad`."""
    load = LoadLog.objects.filter(pk=load_id).first()
    if load is None:
        raise UnknownLoad(load_id=load_id)
    rejects = list(LoadReject.objects.filter(load_id=load_id).order_by("record_no")[:_FIRST_REJECTS])
    for one in rejects:
        one.load = load
    return LoadPage(
        load=load,
        is_stuck=load.status == LoadStatus.PENDING and load_id in stuck_load_ids(),
        error=error_text(load, shows_values=shows_values),
        events=read_events(load_id, shows_values=shows_values),
        rejects=[show_reject(one, shows_values=shows_values) for one in rejects],
        reject_counts=kept_rejects.count_by_state(DEFAULT_DB_ALIAS, load_id),
    )


def read_events(load_id: int, *, shows_values: bool) -> Sequence[ShownEvent]:
    """Return the last events of a load, oldest first. Without `shows_values`, no fact quotes data of the file."""
    hidden = _HIDDEN_FACTS if shows_values else _HIDDEN_FACTS | _QUOTING_FACTS
    events = LoadEvent.objects.filter(load_id=load_id).order_by("-id")[:_MAX_EVENTS]
    return [
        ShownEvent(row=one, facts={name: fact for name, fact in one.facts.items() if name not in hidden})
        for one in reversed(events)
    ]


def show_reject(reject: LoadReject, *, shows_values: bool, is_shortened: bool = True) -> ShownReject:
    """Return a reject with its bad cells marked. Without `shows_values`, letters and digits are hidden."""
    text = RejectText(
        columns=reject.load.payload_meta.get("columns") or (),
        csv_format=csv_format_of(reject.load),
        shows_values=shows_values,
    )
    problems = [Problem(**one) for one in reject.problems]
    segments = text.segments(bytes(reject.raw), problems)
    return ShownReject(
        row=reject,
        segments=shortened(segments) if is_shortened else segments,
        problems=[
            ShownProblem(
                column=one.column,
                value=text.value(one),
                sqlstate=one.sqlstate,
                reason=one.reason if shows_values else _words(condition_name(one.sqlstate)),
            )
            for one in problems
        ],
    )


def stuck_load_ids() -> frozenset[int]:
    """Return the pending loads whose process or connection has ended."""
    return frozenset(load.load_id for load in load_log.stuck_loads(DEFAULT_DB_ALIAS))


def known_sources() -> Sequence[str]:
    """Return the sources of all loads."""
    return filter_choices.known_values(DEFAULT_DB_ALIAS, "source")


def known_targets() -> Sequence[str]:
    """Return the tables of all loads."""
    return filter_choices.known_values(DEFAULT_DB_ALIAS, "target")


def known_problems(load_id: int) -> Sequence[tuple[str | None, str]]:
    """Return the columns and SQLSTATEs of the problems of a load's rejects."""
    return filter_choices.known_problems(DEFAULT_DB_ALIAS, load_id)


def error_text(load: LoadLog, *, shows_values: bool) -> str | None:
    """Return the error of a load. Without `shows_values`, the words of its code."""
    if load.error_message is None or shows_values:
        return load.error_message
    return _words(load.error_code or "unknown")


def _words(name: str) -> str:
    """Return a machine-readable name as words. An SQLSTATE becomes the name of its condition."""
    is_sqlstate = len(name) == 5 and (name.isupper() or name.isdigit())
    return (condition_name(name) if is_sqlstate else name).replace("_", " ")
