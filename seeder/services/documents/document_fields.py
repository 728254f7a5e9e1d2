"""Fields of JSON documents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Document = Mapping[str, Any]


def fields(source: object, *attributes: str, **renamed: str) -> dict[str, Any]:
    """Return attributes as JSON fields: `run_id` as `runId`, and renamed ones under the given names."""
    names = {camel_case(attribute): attribute for attribute in attributes} | renamed
    return {field: _json_value(getattr(source, attribute)) for field, attribute in names.items()}


def camel_case(attribute: str) -> str:
    """Return the JSON name of an attribute."""
    first, *others = attribute.split("_")
    return first + "".join(map(str.capitalize, others))


def _json_value(value: Any) -> Any:
    """Return a time in ISO 8601, a duration in seconds, and other values as they are."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return round(value.total_seconds(), 6)
    return value
