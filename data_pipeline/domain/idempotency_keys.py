"""The idempotency key of a load.

Equal inputs have equal keys, and different inputs have different keys.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from data_pipeline.domain.canonical_bytes import canonical_bytes, payload_bytes
from data_pipeline.domain.fingerprints import file_fingerprint, identifies_content, remote_fingerprint
from data_pipeline.domain.uris import is_uri, without_signature
from data_pipeline.errors import BadIdempotencyKey, NothingToIdentify

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DIGEST_BYTES = 32  # 64 hexadecimal digits


def compute_idempotency_key(
    *,
    path: str | os.PathLike[str] | None = None,
    remote_meta: Mapping[str, object] | None = None,
    payload: object = None,
    extra: Mapping[str, object] | None = None,
) -> str:
    """Return the key of an artefact: 64 hexadecimal digits.

    The first of these that is given identifies the artefact:

    1. `remote_meta`, the stable metadata of a remote object: etag, last_modified, content_length or content_md5. They
       are unique at one address only, so a `path` that is a URI belongs to them.
    2. `path` of a local file, with its size and time of modification.
    3. `payload`.

    `extra` always counts, for example the dialect and the table. Raises `NothingToIdentify`, and `OSError` if the local
    file cannot be read.
    """
    identity = _identity(path=path, remote_meta=remote_meta or {}, payload=payload)
    return _digest([*identity, extra or {}])


def forced_key(key: str, overrides: Mapping[str, object], at: datetime) -> str:
    """Return the key of a forced load.

    The artefact is already loaded under `key`. `overrides` are the parameters that differ from the first load, `at` is
    the aware time of this one.
    """
    if not _KEY.fullmatch(key):
        raise BadIdempotencyKey(key=key)
    return _digest(["forced", key, overrides, at])


def _identity(
    *, path: str | os.PathLike[str] | None, remote_meta: Mapping[str, object], payload: object
) -> tuple[str, object]:
    uri = os.fspath(path) if path is not None and is_uri(os.fspath(path)) else None
    if identifies_content(remote_meta):
        # A local path beside remote metadata is a temporary copy, with another name each time.
        return "remote", [_address(uri), remote_fingerprint(remote_meta)]
    if path is not None and uri is None:
        return "file", file_fingerprint(path)
    if payload is not None:
        return "payload", payload_bytes(payload)
    raise NothingToIdentify


def _address(uri: str | None) -> str | None:
    return None if uri is None else without_signature(uri)


def _digest(fields: Sequence[object]) -> str:
    return blake2b(canonical_bytes(fields), digest_size=_DIGEST_BYTES).hexdigest()
