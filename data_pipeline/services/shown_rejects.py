"""Rejects of a load as a user may see them: as JSON documents, and as lines of CSV.

Without the permission `see_raw`, letters and digits are masked, and no message quotes a value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from data_pipeline.domain.correction_files import RejectedRecord, correction_lines
from data_pipeline.domain.reject_highlights import RejectText
from data_pipeline.domain.rejects import RejectState
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.postgres import kept_rejects
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_lookup import csv_format_of
from data_pipeline.services.reject_documents import reject_document
from seeder.postgres.sqlstates import condition_name

_RECORDS_READ = 500  # at most 32 MB


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectFilter:
    """Which rejects of a load are wanted. None means any."""

    states: Sequence[RejectState] = ()  # empty for any
    column: str | None = None  # of a problem
    sqlstate: str | None = None  # of a problem

    def rows(self, load: LoadLog) -> QuerySet[LoadReject]:
        rows = LoadReject.objects.filter(load=load).only("record_no")
        if self.states:
            rows = rows.filter(state__in=self.states)
        problem = {"column": self.column, "sqlstate": self.sqlstate}
        wanted = {name: value for name, value in problem.items() if value is not None}
        return rows.filter(problems__contains=[wanted]) if wanted else rows


def reject_documents(load: LoadLog, numbers: Sequence[int], *, shows_values: bool) -> Sequence[Mapping[str, Any]]:
    """Return rejects of a load, with values unless they are masked."""
    columns, csv_format = load.payload_meta.get("columns") or (), csv_format_of(load)
    text = RejectText(columns=columns, csv_format=csv_format, shows_values=shows_values)
    documents = list[Mapping[str, Any]]()
    with translate_errors(DEFAULT_DB_ALIAS):
        rejects = kept_rejects.read_rejects(DEFAULT_DB_ALIAS, load.pk, numbers=numbers)
    for one in rejects:
        record = one.record if shows_values else _masked(one.record, text)
        values = record.values(csv_format, columns=len(columns)) if columns and shows_values else None
        documents.append(
            {
                **reject_document(replace(one, record=record)),
                "values": None if values is None else dict(zip(columns, values, strict=True)),
                "masked": not shows_values,
            }
        )
    return documents


def csv_lines(load: LoadLog, numbers: Sequence[int], *, shows_values: bool) -> Iterator[str]:
    """Yield the lines of a file in which rejects can be corrected. Without `shows_values`, only of their problems."""
    columns = load.payload_meta.get("columns") or () if shows_values else ()
    csv_format = csv_format_of(load)
    text = RejectText(columns=columns, csv_format=csv_format, shows_values=shows_values)

    def records() -> Iterator[RejectedRecord]:
        for start in range(0, len(numbers), _RECORDS_READ):
            batch = numbers[start : start + _RECORDS_READ]
            for one in kept_rejects.read_rejects(DEFAULT_DB_ALIAS, load.pk, numbers=batch):
                yield one.record if shows_values else _masked(one.record, text)

    return correction_lines(records(), columns, csv_format)


def _masked(record: RejectedRecord, text: RejectText) -> RejectedRecord:
    raw = "".join(one.text for one in text.segments(record.raw, record.problems))
    problems = [
        replace(one, value=text.value(one), reason=condition_name(one.sqlstate).replace("_", " "))
        for one in record.problems
    ]
    return replace(record, raw=raw.encode(), problems=problems)
