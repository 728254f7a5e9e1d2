"""Bytes that represent a value in a hash.

Equal values have equal bytes, also mappings in another order. Different values have different bytes.
"""

import os
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, time
from decimal import Decimal

from data_pipeline.domain.uris import without_signature


def payload_bytes(payload: object) -> bytes:
    """Return the bytes of a payload.

    Bytes stay as they are, a text is encoded in UTF-8, and any other value has its canonical bytes.
    """
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogatepass")
    return bytes(payload) if isinstance(payload, bytes | bytearray | memoryview) else canonical_bytes(payload)


def canonical_bytes(value: object) -> bytes:
    """Return the bytes of a value: each part has its type and length in front.

    Presigned URLs lose their query, which differs each time. Raises `TypeError` for a value of another type.
    """
    tag, body = _tagged(value)
    return f"{tag}{len(body)}:".encode("ascii") + body


def _tagged(value: object) -> tuple[str, bytes]:
    match value:
        case os.PathLike():
            return _tagged(os.fspath(value))
        case str():
            return "text", without_signature(value).encode("utf-8", "surrogatepass")
        case bytes() | bytearray() | memoryview():
            return "bytes", bytes(value)
        case Mapping() | Set() | Sequence():
            return _tagged_collection(value)
        case _:
            return _tagged_scalar(value)


def _tagged_collection(value: Mapping[object, object] | Set[object] | Sequence[object]) -> tuple[str, bytes]:
    if isinstance(value, Mapping):
        return "mapping", b"".join(sorted(canonical_bytes(name) + canonical_bytes(one) for name, one in value.items()))
    parts = [canonical_bytes(one) for one in value]
    return ("set", b"".join(sorted(parts))) if isinstance(value, Set) else ("list", b"".join(parts))


def _tagged_scalar(value: object) -> tuple[str, bytes]:
    match value:
        case None | bool():
            return "constant", str(value).encode("ascii")
        case int() | float() | Decimal():
            return type(value).__name__, str(value).encode("ascii")
        case datetime() if value.tzinfo:
            return "instant", value.astimezone(UTC).isoformat().encode("ascii")
        case date() | time():
            return type(value).__name__, value.isoformat().encode("ascii")
        case _:
            raise TypeError(f"{value!r} has no canonical bytes")
