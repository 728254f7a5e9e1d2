"""Python records that their reader or a row model refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from data_pipeline.domain.normalize_problems import INVALID_PARAMETER_VALUE
from data_pipeline.domain.record_encoding import json_record
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem
from data_pipeline.errors import BadRow


class RecordRefused(Exception):
    """A record is no row. The load rejects it with these problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record as it was given, and why it is no row."""

    raw: bytes  # as JSON
    problems: Sequence[Problem]

    @classmethod
    def of(cls, record: Any, refusal: BadRow | RecordRefused) -> Self:
        """Return a record that was refused. Raises `TypeError` for a value without a text."""
        named = record if isinstance(record, Mapping) else {"record": record}
        raw = json_record([str(name) for name in named], list(named.values()))
        return cls(raw[:MAX_RAW_BYTES], refusal.problems if isinstance(refusal, RecordRefused) else [_problem(refusal)])


def _problem(refusal: BadRow) -> Problem:
    field, value = str(refusal.facts["field"]), refusal.facts["value"]
    return Problem(
        column=field,
        sqlstate=INVALID_PARAMETER_VALUE,
        reason=f"{field} must be {refusal.facts['expected']}",
        value=None if value is None else str(value),
    )
