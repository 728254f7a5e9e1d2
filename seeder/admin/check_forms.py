"""The forms of data checks. Their fields are the arguments of the kind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from seeder.data_check_errors import SqlChecksOff
from seeder.domain.data_checks.definitions import MAX_NAME_LENGTH, MAX_TOLERATED_ROWS, CheckDefinition
from seeder.domain.data_checks.results import CheckSeverity
from seeder.domain.data_checks.rules import TOLERANT_KINDS, CheckKind, argument_names
from seeder.domain.manifest_edits import MAX_NAME_LENGTH as MAX_VIEW_LENGTH
from seeder.domain.snapshots.snapshot_contents import MAX_TAG_LENGTH, ViewColumn
from seeder.models import DataCheck
from seeder.services.data_checks import check_editing, check_rows
from seeder.services.translation import translated
from seeder.texts import Text

KIND_TEXTS: Mapping[CheckKind, Text] = {
    CheckKind.ROW_COUNT: Text("the number of rows is within bounds, or near the last accepted one"),
    CheckKind.NOT_NULL: Text("a column has no nulls"),
    CheckKind.UNIQUE: Text("columns have no value twice"),
    CheckKind.ACCEPTED_VALUES: Text("a column has only listed values"),
    CheckKind.RANGE: Text("the values of a column are within bounds"),
    CheckKind.FRESHNESS: Text("the latest date or time of a column is recent"),
    CheckKind.CONDITION: Text("an SQL expression is true for every row"),
    CheckKind.QUERY: Text("an SQL query returns no rows"),
    CheckKind.DRIFT: Text("columns, types, rows and nulls are like those of the last accepted release"),
}
_SEVERITY_TEXTS: Mapping[CheckSeverity, Text] = {
    CheckSeverity.ERROR: Text("error: holds the view"),
    CheckSeverity.WARN: Text("warn: is reported"),
}
_DRIFT_SEVERITIES: Mapping[str, Text] = {"breaking": Text("breaking differences"), "notice": Text("notices, too")}


def _choices_of(texts: Mapping[Any, Text]) -> list[tuple[str, str]]:
    return [(str(value), translated(text)) for value, text in texts.items()]


class NewCheckForm(forms.Form):
    """The view and the kind of a new check."""

    view = forms.CharField(
        label=pgettext_lazy("materialized view", "View"),
        max_length=MAX_VIEW_LENGTH,
        help_text=_("As in SQL: schema.view. A name without a schema is in the schema reporting."),
    )
    kind = forms.ChoiceField(label=_("The check passes if"), choices=partial(_choices_of, KIND_TEXTS))

    def __init__(self, data: Any = None, *, view: str = "", databases: Collection[str]) -> None:
        """Ask for the database if there are several."""
        super().__init__(data, initial={"view": view}, auto_id="%s", label_suffix="")
        if len(databases) > 1:
            choices = [(alias, alias) for alias in sorted(databases)]
            self.fields["database"] = forms.ChoiceField(label=_("Database"), choices=choices)


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class CheckForm(forms.Form):
    """A check of one kind. `version` is that of the row when the form was opened."""

    check_name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME_LENGTH, help_text=_("Unique in the view. It is in messages and notes.")
    )
    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=partial(_choices_of, _SEVERITY_TEXTS),
        initial=CheckSeverity.ERROR,
        help_text=_("Readers of a held view keep the old rows."),
    )
    tolerated_rows = forms.IntegerField(
        label=_("Tolerated rows"),
        min_value=0,
        max_value=MAX_TOLERATED_ROWS,
        initial=0,
        help_text=_("Bad rows with which the check still passes. The larger tolerance counts."),
    )
    tolerated_share = forms.FloatField(
        label=_("Tolerated share"),
        min_value=0,
        max_value=1,
        initial=0,
        help_text=_("Of all rows. 0.01 is one in a hundred."),
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        kind: CheckKind,
        columns: Sequence[ViewColumn],
        row: DataCheck | None = None,
    ) -> None:
        """Build the fields of a kind. Without `columns`, the view does not exist yet."""
        stored = None if row is None else check_rows.definition_of(row)
        self._kind, self._stored = kind, stored
        initial = {} if stored is None else _initial(stored)
        if row is not None:
            initial["version"] = check_rows.version_of_row(row)
        super().__init__(data, initial=initial, auto_id="%s", label_suffix="")
        if kind not in TOLERANT_KINDS:
            del self.fields["tolerated_rows"], self.fields["tolerated_share"]
        if stored is not None:
            del self.fields["check_name"]
        arguments = _FIELDS[kind](columns, stored)
        is_writable = _is_writable(kind)
        for name, field in arguments.items():
            field.disabled = not is_writable
            self.fields[name] = field
        self.order_fields(["check_name", *arguments])

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that are given. A number of a file stays one if its text is unchanged."""
        stored = {} if self._stored is None else self._stored.arguments
        names = [name for name in argument_names(self._kind) if self.cleaned_data[name] not in (None, "", [])]
        return {name: _like(stored.get(name), self.cleaned_data[name]) for name in names}

    @property
    def changes(self) -> dict[str, Any]:
        """The fields of a definition that the form has, without the name."""
        names = ("severity", "tolerated_rows", "tolerated_share", "enabled")
        values = {name: self.cleaned_data[name] for name in names if name in self.fields}
        # A kind that counts no bad rows tolerates none, even if SQL has stored a tolerance.
        return {"arguments": self.arguments, "tolerated_rows": 0, "tolerated_share": 0, **values}


def _is_writable(kind: CheckKind) -> bool:
    try:
        check_editing.require_writable(kind)
    except SqlChecksOff:
        return False
    return True


def _initial(stored: CheckDefinition) -> dict[str, Any]:
    fields = {name: getattr(stored, name) for name in ("severity", "tolerated_rows", "tolerated_share", "enabled")}
    return {**stored.arguments, **fields}


def _like(stored: Any, value: Any) -> Any:
    """Return the stored value, or values of a list, where the text is the same."""
    if isinstance(value, list) and isinstance(stored, list):
        by_text = {str(one): one for one in stored}
        return [by_text.get(one, one) for one in value]
    return stored if isinstance(value, str) and str(stored) == value else value


def _row_count_fields(*_arguments: Any) -> Mapping[str, forms.Field]:
    return {
        "min": _whole_number(gettext("Minimum"), gettext("Rows. Empty: no bound.")),
        "max": _whole_number(gettext("Maximum"), gettext("Rows. Empty: no bound.")),
        "max_drop": _share(
            gettext("Maximum drop"),
            gettext("Below the last accepted count. A share: 0.2 is a fifth. Empty: no bound."),
            most=1,
        ),
        "max_growth": _share(
            gettext("Maximum growth"),
            gettext("Above the last accepted count. A share: 0.2 is a fifth. Empty: no bound."),
        ),
    }


def _accepted_values_fields(columns: Sequence[ViewColumn], stored: CheckDefinition | None) -> Mapping[str, forms.Field]:
    values = LinesField(label=gettext("Accepted values"), help_text=gettext("One on each line. Null is accepted, too."))
    return {"column": _column(columns, stored), "values": values}


def _range_fields(columns: Sequence[ViewColumn], stored: CheckDefinition | None) -> Mapping[str, forms.Field]:
    return {"column": _column(columns, stored), "min": _bound(gettext("Minimum")), "max": _bound(gettext("Maximum"))}


def _freshness_fields(columns: Sequence[ViewColumn], stored: CheckDefinition | None) -> Mapping[str, forms.Field]:
    age = forms.FloatField(
        label=gettext("Maximum age in hours"),
        min_value=0,
        help_text=gettext("Of the latest value when the view is refreshed."),
    )
    return {"column": _column(columns, stored, gettext("Dates or timestamps.")), "max_age_hours": age}


def _drift_fields(*_arguments: Any) -> Mapping[str, forms.Field]:
    severity = forms.ChoiceField(
        label=gettext("The check fails because of"),
        choices=_choices_of(_DRIFT_SEVERITIES),
        help_text=gettext("The setting DRIFT_RULES has the severities of differences."),
    )
    tag = forms.CharField(
        label=gettext("Release"),
        max_length=MAX_TAG_LENGTH,
        required=False,
        help_text=gettext("Tag of a release snapshot. Empty: the latest one, or what was accepted since."),
    )
    return {"from_severity": severity, "release_tag": tag}


def _whole_number(label: str, help_text: str) -> forms.Field:
    return forms.IntegerField(
        label=label, min_value=0, max_value=MAX_TOLERATED_ROWS, required=False, help_text=help_text
    )


def _share(label: str, help_text: str, *, most: float | None = None) -> forms.Field:
    return forms.FloatField(label=label, min_value=0, max_value=most, required=False, help_text=help_text)


def _bound(label: str) -> forms.Field:
    return forms.CharField(
        label=label, required=False, help_text=gettext("A number, or a date such as 2026-01-31. Empty: no bound.")
    )


def _sql(label: str, help_text: str) -> forms.Field:
    widget = forms.Textarea({"rows": 8, "spellcheck": "false", "autocomplete": "off"})
    return SqlField(label=label, strip=False, widget=widget, help_text=help_text)


class SqlField(forms.CharField):
    """SQL with the line ends of files; browsers send those of HTTP."""

    def clean(self, value: Any) -> str:
        return str(super().clean(value)).replace("\r\n", "\n")


def _choices(columns: Sequence[ViewColumn], names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the columns of the view, and the stored ones that it does not have."""
    known = [(column.name, f"{column.name} ({column.type})") for column in columns]
    missing = [name for name in names if name not in {column.name for column in columns}]
    return [*known, *((name, translated(Text("{name} (not in the view)", name=name))) for name in missing)]


def _column(columns: Sequence[ViewColumn], stored: CheckDefinition | None, help_text: str = "") -> forms.Field:
    if not columns:
        return forms.CharField(label=gettext("Column"), strip=False, help_text=help_text)
    names = [str(stored.arguments["column"])] if stored and "column" in stored.arguments else []
    return forms.ChoiceField(label=gettext("Column"), choices=_choices(columns, names), help_text=help_text)


def _columns(columns: Sequence[ViewColumn], stored: CheckDefinition | None) -> forms.Field:
    if not columns:
        help_text = gettext(
            "One on each line. Their values together occur once. Rows with a null among them do not count."
        )
        return LinesField(label=gettext("Columns"), help_text=help_text)
    help_text = gettext("Their values together occur once. Rows with a null among them do not count.")
    names = list(map(str, stored.arguments.get("columns", []))) if stored else []
    return forms.MultipleChoiceField(
        label=gettext("Columns"),
        choices=_choices(columns, names),
        widget=forms.CheckboxSelectMultiple,
        help_text=help_text,
    )


_FIELDS: Mapping[CheckKind, Callable[[Sequence[ViewColumn], CheckDefinition | None], Mapping[str, forms.Field]]] = {
    CheckKind.ROW_COUNT: _row_count_fields,
    CheckKind.NOT_NULL: lambda columns, stored: {"column": _column(columns, stored)},
    CheckKind.UNIQUE: lambda columns, stored: {"columns": _columns(columns, stored)},
    CheckKind.ACCEPTED_VALUES: _accepted_values_fields,
    CheckKind.RANGE: _range_fields,
    CheckKind.FRESHNESS: _freshness_fields,
    CheckKind.CONDITION: lambda *_arguments: {
        "expression": _sql(gettext("Expression"), gettext("True or null for each good row: ended_at >= started_at."))
    },
    CheckKind.QUERY: lambda *_arguments: {
        "query": _sql(
            gettext("Query"), gettext("One SELECT that returns the bad rows. Names of tables need their schemas.")
        )
    },
    CheckKind.DRIFT: _drift_fields,
}
"""The fields of each kind's arguments, in the order of the form."""
