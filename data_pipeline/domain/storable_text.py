"""Texts of any origin in the form that every database can store."""

from collections.abc import Mapping
from typing import Any


def escape_unstorable(text: str) -> str:
    """Escape what no PostgreSQL text can have: NUL and lone surrogates."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def storable_document(value: Any) -> Any:
    """Return a JSON document with `escape_unstorable` for each of its texts."""
    match value:
        case str():
            return escape_unstorable(value)
        case Mapping():
            return {escape_unstorable(name): storable_document(one) for name, one in value.items()}
        case list() | tuple():
            return [storable_document(one) for one in value]
        case _:
            return value
