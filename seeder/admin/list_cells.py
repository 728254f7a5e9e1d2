"""Cells of the lists: an outcome, a duration, and text with a quiet line below it."""

from datetime import datetime, timedelta

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from seeder.domain.human_format import format_duration
from seeder.domain.monitoring.report_jobs import LatestState
from seeder.domain.outcomes import HeldReason, Outcome, Status
from seeder.services.translation import translated
from seeder.texts import Text

LIST_FILTER_TEMPLATE = "seeder/list_filter.html"
_EMPTY = "\N{EN DASH}"


class ClosedFilter(admin.SimpleListFilter):
    """A filter whose choices are closed until one is chosen, because the filters stand above the rows."""

    template = LIST_FILTER_TEMPLATE


class ClosedBooleanFilter(admin.BooleanFieldListFilter):
    template = LIST_FILTER_TEMPLATE


def latest_outcome(state: LatestState | None) -> SafeString:
    """Return the latest state of a view as `outcome` does."""
    return outcome(None) if state is None else outcome(state.status, state.reason, is_interrupted=state.is_interrupted)


def outcome(status: str | None, reason: str | None = None, *, is_interrupted: bool = False) -> SafeString:
    """Return a status as sign and word, in its colour."""
    facts = {
        "status": status,
        "is_held": reason in set(HeldReason),
        "is_interrupted": is_interrupted,
        "is_skipped": status == Status.SUCCESS and reason == Outcome.SKIPPED,
    }
    return format_html('<span class="seeder">{}</span>', render_to_string("seeder/status_label.html", facts))


def duration(started_at: datetime | None, finished_at: datetime | None) -> str:
    return _EMPTY if started_at is None or finished_at is None else span(finished_at - started_at)


def span(value: timedelta | None) -> str:
    return _EMPTY if value is None else translated(format_duration(value))


def count(value: int | None) -> str:
    return _EMPTY if value is None else number_format(value, force_grouping=True)


def instant(at: datetime | None) -> str:
    return _EMPTY if at is None else translated(Text("{at:%-d %b %Y %H:%M:%S}", at=timezone.localtime(at)))


def with_line_below(text: str | SafeString, below: str | SafeString | None) -> SafeString:
    return format_html('{}<span class="below">{}</span>', text, below) if below else format_html("{}", text)
