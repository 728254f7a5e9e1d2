"""Adds values of a reference to records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from data_pipeline.domain.dialects import Lookup, Missing
from data_pipeline.domain.normalize_problems import INVALID_PARAMETER_VALUE
from data_pipeline.domain.rejects import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrichment:
    """A lookup, with the values of its reference."""

    lookup: Lookup
    position: int  # of the looked up column in a record
    values: Mapping[str, str | None] = field(repr=False)  # added ones by those that are looked up

    def add_to(self, texts: list[str | None]) -> Problem | None:
        """Append the value for a record, or return why there is none. NULL has none."""
        key = texts[self.position]
        texts.append(None if key is None else self.values.get(key))
        if key is None or key in self.values or self.lookup.missing is Missing.NULL:
            return None
        reason = f"not_in_reference: {self.lookup.reference} has no such value"
        return Problem(column=self.lookup.column, sqlstate=INVALID_PARAMETER_VALUE, reason=reason, value=key)
