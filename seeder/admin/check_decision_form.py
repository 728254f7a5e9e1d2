"""The form of a decision on a held view."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from seeder.services.data_checks.waivers import DEFAULT_HOURS, MAX_HOURS, WaiverDecision
from seeder.services.read_models.check_results import VisibleResult


class DecisionForm(forms.Form):
    """The checks, the reason and the run whose figures the user has seen."""

    checks = forms.MultipleChoiceField(label=_("Data checks"), widget=forms.CheckboxSelectMultiple)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("It is stored with your name, and shown with the result."),
    )
    hours = forms.IntegerField(
        label=_("Expires after hours"),
        min_value=1,
        max_value=MAX_HOURS,
        initial=DEFAULT_HOURS,
        help_text=_("An unused permission expires. One refresh uses it up."),
    )
    run = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, decision: WaiverDecision, results: Sequence[VisibleResult]) -> None:
        run_id = results[0].row.run_id if results else ""
        names = [one.row.check_name for one in results]
        super().__init__(data, initial={"run": run_id, "checks": names}, auto_id="%s", label_suffix="")
        self.fields["checks"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # it has them
        if decision is WaiverDecision.ACCEPT:
            del self.fields["hours"]
