"""A release snapshot: shape and statistics of a view at a release."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seeder.domain.view_names import is_storable_text
from seeder.errors import BadTag

# contract.sql has the same limit as a constraint.
MAX_TAG_LENGTH = 200  # characters
_UNPRINTABLE = {"Cc", "Zl", "Zp"}  # control characters, line and paragraph separators


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewColumn:
    """A column as in the catalog."""

    name: str
    type: str  # with modifiers, as format_type() prints it: numeric(10,2)
    nullable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TopValue:
    """One of the most frequent values."""

    value: str  # as PostgreSQL prints it; a very long one is cut and has its MD5
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnStatistics:
    """Statistics of a column. None means unknown."""

    nulls: int | None
    distinct: int | None = None  # non-null values; None if the type has no equality
    minimum: str | None = None  # as PostgreSQL prints it; None if the type has no order or there is no value
    maximum: str | None = None
    exact: bool = True  # False: estimated from a sample
    lacks: str | None = None  # "equality" or "order", if the type has none
    top: tuple[TopValue, ...] | None = None  # most frequent first; None if not requested


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewStatistics:
    """Statistics of a view at one time."""

    row_count: int
    exact: bool
    columns: Mapping[str, ColumnStatistics]


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Release of a snapshot. Raises `BadTag`."""

    tag: str
    version: str | None = None

    def __post_init__(self) -> None:
        for what, text in (("tag", self.tag), ("version", self.version)):
            if text is not None and not _is_valid_tag(text):
                raise BadTag(field=what, text=text, max_length=MAX_TAG_LENGTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The record of a view at a release."""

    table_name: str  # the view's name in its normalised spelling
    release: Release
    columns: tuple[ViewColumn, ...]
    definition_hash: str  # of its query as this server prints it
    server_version: int  # such as 180006; another major version may print the same query differently
    statistics: ViewStatistics
    captured_at: datetime  # all exact statistics are of this time
    id: int | None = field(default=None, compare=False)  # None until it is stored

    def __str__(self) -> str:
        return f"{self.table_name} at {self.release.tag}"

    @property
    def schema_hash(self) -> str:
        """The SHA-256 of the ordered names, types and nullabilities in hexadecimal."""
        return sha256_hex(json.dumps([[column.name, column.type, column.nullable] for column in self.columns]))


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_valid_tag(text: str) -> bool:
    is_printable = not any(unicodedata.category(character) in _UNPRINTABLE for character in text)
    return 0 < len(text) <= MAX_TAG_LENGTH and text == text.strip() and is_printable and is_storable_text(text)
