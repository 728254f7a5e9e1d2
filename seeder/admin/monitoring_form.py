"""The filters and the page number of the monitoring page."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.http import QueryDict

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobFilter, JobPageRequest
from seeder.domain.outcomes import Status

PER_PAGE = 50
_ANY = ("", "any")


class ViewFilter(TextChoices):
    """Which views are listed."""

    ALL = _ANY
    FRESH = "fresh", "fresh"
    FAILING = "failing", "failing"
    RUNNING = "running", "running"
    LATE = "late", "late"
    LONG = "long", "long-running"


_JOB_FILTERS: Mapping[ViewFilter, Mapping[str, Any]] = {
    ViewFilter.ALL: {},
    ViewFilter.FRESH: {"failing": False, "stale": False},
    ViewFilter.FAILING: {"failing": True},
    ViewFilter.RUNNING: {"statuses": [Status.RUNNING]},
    ViewFilter.LATE: {"stale": True},
    ViewFilter.LONG: {"long_running": True},
}


class MonitoringForm(forms.Form):
    """The query parameters. Invalid ones are ignored."""

    q = forms.CharField(required=False, label="Name", widget=forms.TextInput({"type": "search"}))
    agency = forms.CharField(required=False, label="Agency", widget=forms.Select)
    type = forms.ChoiceField(required=False, label="Report", choices=[_ANY, *((kind, kind) for kind in ReportType)])
    show = forms.ChoiceField(required=False, label="State", choices=ViewFilter.choices)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict, agency_names: Mapping[str, str]) -> None:
        super().__init__(query, auto_id="%s", label_suffix="")
        self.fields["agency"].widget = forms.Select(choices=[_ANY, *agency_names.items()])
        self.full_clean()
        values = self.cleaned_data
        self.is_filtered = any(values.get(name) for name in ("q", "agency", "type", "show"))
        self.view_filter = ViewFilter(values.get("show", ""))
        self.page_number = values.get("page") or 1
        self.page_request = JobPageRequest(limit=PER_PAGE, offset=(self.page_number - 1) * PER_PAGE)

    def job_filter(self, agencies: list[str] | None, view_filter: ViewFilter) -> JobFilter:
        values = self.cleaned_data
        return JobFilter(
            visible_agencies=agencies,
            agencies=[values["agency"]] if values.get("agency") else None,
            report_types=[ReportType(values["type"])] if values.get("type") else None,
            search=values.get("q") or None,
            **_JOB_FILTERS[view_filter],
        )
