"""Adds values of references to records.

`data_pipeline.postgres.lookup_columns` has the same rules for sets of rows.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from data_pipeline.dialect_errors import BadReference
from data_pipeline.domain.case_folding import trim
from data_pipeline.domain.dialects import Lookup, Missing
from data_pipeline.domain.normalize_problems import not_in_reference
from data_pipeline.domain.rejects import Problem
from seeder.texts import Text

_MAX_BYTES: Final = 32 << 20  # of values in memory, where they need about four times as much
Pair = tuple[str | None, str | None]  # the texts of both columns in a record of a reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrichment:
    """A lookup, with the values of its reference."""

    lookup: Lookup
    position: int  # of the looked up column in a record
    values: Mapping[str, str | None] = field(repr=False)  # added ones by those that are looked up

    def add_to(self, texts: list[str | None], values: Sequence[str | None]) -> Problem | None:
        """Append the added text to the canonical ones of a record.

        Return the problem of a value that is not in the reference. `values` are those of the file. NULL is not looked
        up.
        """
        key = texts[self.position]
        texts.append(None if key is None else self.values.get(key))
        if key is None or key in self.values or self.lookup.missing is Missing.NULL:
            return None
        return not_in_reference(self.lookup, value=values[self.position])


def reference_values(pairs: Iterable[Pair], *, source: str) -> Mapping[str, str | None]:
    """Return the values that a reference adds, by looked up value.

    Both are trimmed, and an empty value is NULL. Records with nothing to look up are left out. Raises `BadReference`
    for two values of one key, and for more than fits in memory.
    """
    values, size = dict[str, str | None](), 0
    for match, take in pairs:
        key, value = trim(match or ""), trim(take or "") or None
        if key and values.setdefault(key, value) != value:
            raise ambiguous_key(source, key)
        size += len(key) + len(value or "")
        require_in_memory(size, source=source)
    return values


def require_in_memory(size: int, *, source: str) -> None:
    """Raise `BadReference` if values of this size do not fit in memory."""
    if size > _MAX_BYTES:
        raise BadReference(reference=source, problem=Text("its values have more than 32 MB"))


def ambiguous_key(source: str, key: str) -> BadReference:
    """Return the error of a key that has several values."""
    return BadReference(reference=source, problem=Text("it has several values for {key!r}", key=key))


def require_columns(lookup: Lookup, names: Sequence[str]) -> None:
    """Raise `BadReference` unless a reference has each column of a lookup once."""
    for name in (lookup.match, lookup.take):
        if names.count(name) != 1:
            problem = Text(
                "it must have one column {column!r}, but has {columns}",
                column=name,
                columns=", ".join(map(repr, names)),
            )
            raise BadReference(reference=lookup.source, problem=problem)


def hash_of_values(values: Mapping[str, str | None]) -> str:
    """Return a hash of the values of a reference, in any order."""
    return blake2b(json.dumps(sorted(values.items())).encode(), digest_size=16).hexdigest()


def find_lookup_problems(lookups: Iterable[Lookup], columns: Collection[str]) -> list[str]:
    """Return why lookups do not fit the columns of a file."""
    return [
        *(
            Text("missing column {column!r}, which is looked up", column=one.column)
            for one in lookups
            if one.column not in columns
        ),
        *(Text("{name!r} is added by a lookup", name=one.name) for one in lookups if one.name in columns),
    ]
