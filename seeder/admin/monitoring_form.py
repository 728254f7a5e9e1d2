"""The filters and the page number of the monitoring page."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import ContractedViews, JobFilter, JobPageRequest
from seeder.domain.outcomes import Status

PER_PAGE = 50


class ViewFilter(TextChoices):
    """Which views are listed."""

    ALL = "", gettext_lazy("views")
    FRESH = "fresh", gettext_lazy("fresh")
    FAILING = "failing", gettext_lazy("failing")
    LATE = "late", gettext_lazy("late")
    RUNNING = "running", gettext_lazy("running")
    LONG = "long", gettext_lazy("long-running")

    @property
    def css_class(self) -> str:
        return {"": "any", "long": "long-running"}.get(self.value, self.value)


_JOB_FILTERS: Mapping[ViewFilter, Mapping[str, Any]] = {
    ViewFilter.ALL: {},
    ViewFilter.FRESH: {"failing": False, "stale": False},
    ViewFilter.FAILING: {"failing": True},
    ViewFilter.RUNNING: {"statuses": [Status.RUNNING]},
    ViewFilter.LATE: {"failing": False, "stale": True},
    ViewFilter.LONG: {"long_running": True},
}


class MonitoringForm(forms.Form):
    """The query parameters. Invalid ones are ignored."""

    q = forms.CharField(
        required=False,
        label=gettext_lazy("Name"),
        widget=forms.TextInput({"type": "search", "placeholder": gettext_lazy("Name")}),
    )
    agency = forms.CharField(
        required=False, label=gettext_lazy("Agency")
    )  # the page has its choices, which can be many
    type = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Report"),
        choices=[("", gettext_lazy("Any report")), *((kind, kind) for kind in ReportType)],
    )
    show = forms.ChoiceField(required=False, choices=ViewFilter.choices, widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict, agency_names: Mapping[str, str], agency: str | None) -> None:
        """Read the parameters of the page of an agency, or of the page of all, whose parameter can name another."""
        query = query.copy()
        query.setdefault("agency", agency or "")
        super().__init__(query, auto_id="%s", label_suffix="")
        self.full_clean()
        values = self.cleaned_data
        self.selected_agency = values["agency"] if values.get("agency") in agency_names else None
        self.is_filtered = any(values.get(name) for name in ("q", "type", "show"))
        self.view_filter = ViewFilter(values.get("show", ""))
        self.page_number = values.get("page") or 1
        self.page_request = JobPageRequest(limit=PER_PAGE, offset=(self.page_number - 1) * PER_PAGE)

    def parameters(self) -> Mapping[str, str]:
        """Return the filters that are set, except the agency, which has pages of its own."""
        return {name: self.cleaned_data[name] for name in ("q", "type", "show") if self.cleaned_data.get(name)}

    def job_filter(
        self, agencies: list[str] | None, view_filter: ViewFilter, *, contracted: ContractedViews
    ) -> JobFilter:
        values = self.cleaned_data
        return JobFilter(
            visible_agencies=agencies,
            contracted=contracted,
            report_types=[ReportType(values["type"])] if values.get("type") else None,
            search=values.get("q") or None,
            **_JOB_FILTERS[view_filter],
        )
