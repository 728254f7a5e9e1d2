"""A release snapshot: what a view looked like at a release."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seeder.domain.snapshots.view_shape import ViewShape
from seeder.domain.view_names import is_storable_text
from seeder.errors import BadTag

# The same bounds stand as constraints in contract.sql.
MAX_TAG_LENGTH = 200  # characters
_UNPRINTABLE = {"Cc", "Zl", "Zp"}  # control characters, and what separates lines and paragraphs


@dataclass(frozen=True, kw_only=True, slots=True)
class TopValue:
    """One of the values that most rows have."""

    value: str  # as PostgreSQL prints it; of one that is very long the beginning and its MD5
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnStatistics:
    """What one column holds. None is what is not known."""

    nulls: int | None
    distinct: int | None = None  # values that are not null, equal as PostgreSQL has it; None: its type has no equality
    minimum: str | None = None  # by the type's own order, as PostgreSQL prints it; None: no order, or no value
    maximum: str | None = None
    exact: bool = True  # or estimated from a sample
    lacks: str | None = None  # what the type does not have: "equality" or "order"
    top: tuple[TopValue, ...] | None = None  # the most frequent first; None where they were not asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewStatistics:
    """What a view holds at one instant."""

    row_count: int
    exact: bool
    columns: Mapping[str, ColumnStatistics]


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Which release a snapshot is of. Raises `BadTag`."""

    tag: str
    version: str | None = None

    def __post_init__(self) -> None:
        for what, text in (("tag", self.tag), ("version", self.version)):
            if text is not None and not _is_valid_tag(text):
                raise BadTag(field=what, text=text, max_length=MAX_TAG_LENGTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What is recorded of one view at one release."""

    table_name: str  # the view, as SQL names it; always in one spelling
    release: Release
    shape: ViewShape
    statistics: ViewStatistics
    captured_at: datetime  # every figure is of this instant, unless it is an estimate
    id: int | None = field(default=None, compare=False)  # None as long as it is not stored

    def __str__(self) -> str:
        return f"{self.table_name} at {self.release.tag}"


def _is_valid_tag(text: str) -> bool:
    is_printable = not any(unicodedata.category(character) in _UNPRINTABLE for character in text)
    return 0 < len(text) <= MAX_TAG_LENGTH and text == text.strip() and is_printable and is_storable_text(text)
