"""What a user can enter into a manifest, and the version of a row."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from seeder.domain.query_trials import MAX_QUERY_BYTES
from seeder.domain.view_names import ViewName, is_storable_text
from seeder.manifest_errors import BadManifest
from seeder.texts import Text

MAX_NAME_LENGTH = 200
MAX_INTEGER = 2**31 - 1  # largest value of an integer column
_NO_INTEGER = Text("it is not from 0 to {most}", most=MAX_INTEGER)


class EditAction(StrEnum):
    """What was done with a manifest, as in the log."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agency:
    """An agency, as manifests name it."""

    slug: str
    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportDefinition:
    """A report: the name of its view, and the query that the view is created from."""

    table_name: str
    report_name: str
    query: str = field(repr=False)
    database_id: int

    def has_same_view(self, other: "ReportDefinition") -> bool:
        """Return whether both create the same view from the same query."""
        return (self.table_name, self.query, self.database_id) == (other.table_name, other.query, other.database_id)


def require_valid_definition(definition: ReportDefinition) -> ViewName:
    """Return the view. Raises `BadName` or `BadManifest` for text that cannot be stored or is too long."""
    view = ViewName.parse(definition.table_name)
    if len(definition.table_name) > MAX_NAME_LENGTH:
        raise BadManifest(field="table_name", problem=Text("it is longer than {most} characters", most=MAX_NAME_LENGTH))
    _require_name("report_name", definition.report_name)
    require_storable_query(definition.query)
    if not 0 <= definition.database_id <= MAX_INTEGER:
        raise BadManifest(field="database_id", problem=_NO_INTEGER)
    return view


def require_storable_query(query: str) -> None:
    """Raise `BadManifest` if no manifest can have the query."""
    if not is_storable_text(query):
        raise BadManifest(field="query", problem=Text("it holds a character that PostgreSQL cannot store"))
    if len(query.encode()) > MAX_QUERY_BYTES:
        raise BadManifest(field="query", problem=Text("it is longer than {most:,} bytes", most=MAX_QUERY_BYTES))


def require_valid_agency(agency: Agency) -> None:
    """Raise `BadManifest` unless a manifest can have the agency."""
    _require_name("agency_slug", agency.slug)
    if not 0 <= agency.id <= MAX_INTEGER:
        raise BadManifest(field="agency_id", problem=_NO_INTEGER)


def _require_name(name: str, text: str) -> None:
    if not is_storable_text(text) or not text.isprintable() or text != text.strip():
        raise BadManifest(field=name, problem=Text("it must be printable text without a blank at either end"))
    if not 1 <= len(text) <= MAX_NAME_LENGTH:
        raise BadManifest(field=name, problem=Text("it must have 1 to {most} characters", most=MAX_NAME_LENGTH))


def version_of(rows: Iterable[Mapping[str, object]]) -> str:
    """Return a hash of rows, which changes with every change of a value."""
    text = json.dumps(list(rows), sort_keys=True, ensure_ascii=True)
    return sha256(text.encode()).hexdigest()[:32]
