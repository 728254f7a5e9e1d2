"""The forms of manifests, canned reports and subscriptions."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from seeder import conf
from seeder.domain.manifest_edits import MAX_INTEGER, MAX_NAME_LENGTH, ReportDefinition
from seeder.models import CannedReport, CustomReportManifest
from seeder.services import manifest_access
from seeder.services.manifest_access import DEFINITION_FIELDS


class DefinitionForm(forms.Form):
    """A report's name, view and query. `version` is that of the row when the form was opened."""

    report_name = forms.CharField(label=_("Report"), max_length=MAX_NAME_LENGTH)
    table_name = forms.CharField(
        label=pgettext_lazy("materialized view", "View"),
        max_length=MAX_NAME_LENGTH,
        help_text=_("As in SQL: schema.view. A name without a schema is in the schema reporting."),
    )
    database_id = forms.IntegerField(label=_("Database id"), min_value=0, max_value=MAX_INTEGER)
    query = forms.CharField(
        label=_("Query"),
        strip=False,
        widget=forms.Textarea({"rows": 16, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("One SELECT. A refresh runs it as the refreshing role."),
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, row: Any = None) -> None:
        ids = sorted(conf.load().databases) or [1]
        initial = {"database_id": ids[0] if len(ids) == 1 else None}
        if row is not None:
            names = [name for name in self.base_fields if hasattr(row, name)]
            initial = {name: getattr(row, name) for name in names} | {"version": manifest_access.row_version(row)}
        super().__init__(data, initial=initial, auto_id="%s", label_suffix="")

    def clean_query(self) -> str:
        """Return the query with the line ends of SQL files; browsers send those of HTTP."""
        return str(self.cleaned_data["query"]).replace("\r\n", "\n")

    @property
    def definition(self) -> ReportDefinition:
        return ReportDefinition(**{name: self.cleaned_data[name] for name in DEFINITION_FIELDS})


class CustomManifestForm(DefinitionForm):
    """A custom manifest, whose agency is fixed once it exists."""

    agency_slug = forms.CharField(label=_("Agency"), max_length=MAX_NAME_LENGTH)
    agency_id = forms.IntegerField(
        label=_("Agency id"),
        min_value=0,
        max_value=MAX_INTEGER,
        required=False,
        help_text=_("Only needed for an agency without manifests."),
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    field_order = ("report_name", "agency_slug", "agency_id", "table_name", "database_id", "enabled", "query")

    def __init__(self, data: Any = None, *, row: CustomReportManifest | None = None) -> None:
        super().__init__(data, row=row)
        if row is not None:
            del self.fields["agency_slug"], self.fields["agency_id"]


class SubscriptionForm(forms.Form):
    """A new subscription."""

    report = forms.ChoiceField(label=_("Canned report"))
    agency_slug = forms.CharField(label=_("Agency"), max_length=MAX_NAME_LENGTH)
    agency_id = CustomManifestForm.base_fields["agency_id"]

    def __init__(self, data: Any = None, *, reports: Iterable[CannedReport], chosen: str = "") -> None:
        super().__init__(data, initial={"report": chosen}, auto_id="%s", label_suffix="")
        choices = [(str(row.pk), f"{row.report_name} ({row.table_name})") for row in reports]
        self.fields["report"] = forms.ChoiceField(label=_("Canned report"), choices=choices)
