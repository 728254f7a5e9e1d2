"""What a reader of a view depends on: its columns, in their order."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewColumn:
    """One column as the catalog has it."""

    name: str
    type: str  # with its modifiers, as format_type() prints it: numeric(10,2)
    nullable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewShape:
    """The columns of a view and what it was made of."""

    columns: tuple[ViewColumn, ...]
    definition_hash: str  # a hash of its query as this server prints it
    server_version: int  # such as 180006; a server of another major version may print the same query otherwise

    @property
    def schema_hash(self) -> str:
        return schema_hash(self.columns)


def schema_hash(columns: Sequence[ViewColumn]) -> str:
    """SHA-256, in 64 hexadecimal digits, of the ordered names, types and nullabilities, and of nothing else."""
    return sha256_hex(json.dumps([[column.name, column.type, column.nullable] for column in columns]))


def sha256_hex(text: str) -> str:
    """SHA-256 of a text in UTF-8, in 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
