"""The table of a run's views: its order and its pages."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from seeder.domain.monitoring.timeline import Timeline, TimelineBar

PER_PAGE = 100


class SortOrder(TextChoices):
    """How the views are sorted."""

    START = "start", gettext_lazy("as started")
    DURATION = "duration", gettext_lazy("longest first")
    NAME = "name", gettext_lazy("by name")


_SORT_KEYS: Mapping[SortOrder, Callable[[TimelineBar], Any]] = {
    SortOrder.START: lambda bar: (not bar.has_started, bar.started_at),
    SortOrder.DURATION: lambda bar: -(bar.duration or timedelta()),
    SortOrder.NAME: lambda bar: bar.table_name,
}


class RunTableForm(forms.Form):
    """The query parameters of the table. Invalid ones are ignored."""

    sort = forms.ChoiceField(required=False, choices=SortOrder.choices)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)


def run_table(timeline: Timeline, query: QueryDict) -> Mapping[str, Any]:
    """Return one page of the views, without pending ones."""
    form = RunTableForm(query)
    form.full_clean()
    order = SortOrder(form.cleaned_data.get("sort") or SortOrder.START)
    bars = sorted([*timeline.bars, *timeline.never_started], key=_SORT_KEYS[order])
    page = Paginator(bars, PER_PAGE).get_page(form.cleaned_data.get("page") or 1)
    return {"rows": page, "order": order, "orders": SortOrder.choices}
