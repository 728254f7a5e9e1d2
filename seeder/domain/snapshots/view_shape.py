"""Shape of a view: what its readers depend on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewColumn:
    """A column as in the catalog."""

    name: str
    type: str  # with modifiers, as format_type() prints it: numeric(10,2)
    nullable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewShape:
    """Columns and definition of a view."""

    columns: tuple[ViewColumn, ...]
    definition_hash: str  # of its query as this server prints it
    server_version: int  # such as 180006; another major version may print the same query differently

    @property
    def schema_hash(self) -> str:
        return schema_hash(self.columns)


def schema_hash(columns: Sequence[ViewColumn]) -> str:
    """Return the SHA-256 of the ordered names, types and nullabilities in hexadecimal."""
    return sha256_hex(json.dumps([[column.name, column.type, column.nullable] for column in columns]))


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
