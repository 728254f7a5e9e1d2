"""The column `load_log.payload_meta`: an artefact's fingerprint, and facts of its load."""

import math
import os
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b

from data_pipeline.domain.canonical_bytes import payload_bytes
from data_pipeline.domain.fingerprints import file_fingerprint, remote_fingerprint
from data_pipeline.domain.storable_text import escape_unstorable
from data_pipeline.domain.uris import is_uri, without_query


def build_payload_meta(
    *,
    path: str | os.PathLike[str] | None = None,
    remote_meta: Mapping[str, object] | None = None,
    payload: object = None,
    extra: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the metadata of an artefact, as values of jsonb.

    It has the fields of `compute_idempotency_key`, and those of `extra`, which win: for example source_uri (or a list),
    target_table, dialect, rows, file_sha256, streaming, force. URLs lose their query and credentials.

    Raises `OSError` if the local file cannot be read.
    """
    meta: dict[str, object] = {}
    if path is not None:
        location = os.fspath(path)
        meta |= {"source_uri": location} if is_uri(location) else {"source_uri": location, **file_fingerprint(path)}
    meta |= remote_fingerprint(remote_meta or {})
    if payload is not None:
        content = payload_bytes(payload)
        meta |= {"payload_bytes": len(content), "payload_blake2b": blake2b(content, digest_size=32).hexdigest()}
    meta |= extra or {}
    return {_storable_text(name): _storable(value) for name, value in meta.items()}


def _storable(value: object) -> object:
    match value:
        case str():
            return _storable_text(value)
        case bytes() | bytearray() | memoryview():
            return value.hex()
        case Mapping():
            return {_storable_text(str(name)): _storable(one) for name, one in value.items()}
        case Set():
            return [_storable(one) for one in sorted(value, key=str)]
        case Sequence():
            return [_storable(one) for one in value]
        case _:
            return _storable_scalar(value)


def _storable_scalar(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | os.PathLike():
            return _storable_text(str(value))
        case _:
            raise TypeError(f"{value!r} cannot be stored in payload_meta")


def _storable_text(text: str) -> str:
    """Return a text without secrets. Characters that jsonb cannot store are shown escaped."""
    return escape_unstorable(without_query(text))
