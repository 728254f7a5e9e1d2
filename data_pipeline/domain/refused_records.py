"""Python records that their reader or a row model refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from data_pipeline.domain.normalize_problems import INVALID_PARAMETER_VALUE
from data_pipeline.domain.record_encoding import json_record
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem
from data_pipeline.errors import BadRow
from seeder.texts import Text


class RecordRefused(Exception):
    """A record is no row. The load rejects it with these problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(Text.joined(map(str, problems), "; "))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record as it was given, and why it is no row."""

    raw: bytes  # as JSON, or the line of a file as it is
    problems: Sequence[Problem]

    @classmethod
    def of(cls, record: Any, refusal: BadRow | RecordRefused) -> Self:
        """Return a record that was refused. Raises `TypeError` for a value without a text."""
        problems = refusal.problems if isinstance(refusal, RecordRefused) else [_problem(refusal)]
        return cls(_raw(record)[:MAX_RAW_BYTES], problems)


def _raw(record: Any) -> bytes:
    if isinstance(record, bytes):
        return record
    named = record if isinstance(record, Mapping) else {"record": record}
    return json_record([str(name) for name in named], list(named.values()))


def _problem(refusal: BadRow) -> Problem:
    field, value = str(refusal.facts["field"]), refusal.facts["value"]
    return Problem(
        column=field,
        sqlstate=INVALID_PARAMETER_VALUE,
        reason=Text("{field} must be {expected}", field=field, expected=refusal.facts["expected"]),
        value=None if value is None else str(value),
    )
