"""Python records that a row model refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from data_pipeline.domain.normalize_problems import INVALID_PARAMETER_VALUE
from data_pipeline.domain.record_encoding import json_record
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem
from data_pipeline.errors import BadRow


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record as it was given, and why it is no row."""

    raw: bytes  # as JSON
    problem: Problem

    @classmethod
    def of(cls, record: Any, refusal: BadRow) -> Self:
        """Return a record that was refused. Raises `TypeError` for a value without a text."""
        named = record if isinstance(record, Mapping) else {"record": record}
        raw = json_record([str(name) for name in named], list(named.values()))
        field, value = str(refusal.facts["field"]), refusal.facts["value"]
        problem = Problem(
            column=field,
            sqlstate=INVALID_PARAMETER_VALUE,
            reason=f"{field} must be {refusal.facts['expected']}",
            value=None if value is None else str(value),
        )
        return cls(raw[:MAX_RAW_BYTES], problem)
