"""Metadata that identify an artefact without reading it.

They are those of a remote object, or of a local file.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

Fingerprint = dict[str, str | int]

# In the order of trust. Spellings: `ETag` and `LastModified` of boto3, `Last-Modified` of HTTP headers.
_REMOTE_FIELDS = ("etag", "last_modified", "content_length", "content_md5")
_WEAK_ETAG = re.compile(r"\s*[Ww]/")


def remote_fingerprint(remote_meta: Mapping[str, object]) -> Fingerprint:
    """Return the stable fields of a remote object in one spelling. Other fields are ignored.

    The same object has the same fingerprint whether its metadata are of boto3, of HTTP headers or of JSON.
    """
    spelled = {_spelling(name): value for name, value in sorted(remote_meta.items())}
    fields = {field: spelled.get(_spelling(field)) for field in _REMOTE_FIELDS}
    return {field: _plain(field, value) for field, value in fields.items() if value is not None and value != ""}


def identifies_content(remote_meta: Mapping[str, object]) -> bool:
    """Return whether the metadata distinguish this version of an object from others.

    A weak etag alone does not: objects with other bytes may have the same one.
    """
    fields = remote_fingerprint(remote_meta).keys()
    return bool(fields - {"etag"}) or ("etag" in fields and not _has_weak_etag(remote_meta))


def file_fingerprint(path: str | os.PathLike[str]) -> Fingerprint:
    """Return a local file's real path, size and modification time.

    Raises `OSError`.
    """
    status = Path(path).stat()
    return {
        "file": os.path.realpath(path),
        "size_bytes": status.st_size,
        "modified_at": _isoformat(datetime.fromtimestamp(status.st_mtime_ns // 10**9, UTC)),
        "modified_ns": status.st_mtime_ns % 10**9,
    }


def _spelling(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _has_weak_etag(remote_meta: Mapping[str, object]) -> bool:
    return any(_spelling(name) == "etag" and _WEAK_ETAG.match(str(value)) for name, value in remote_meta.items())


def _plain(field: str, value: object) -> str | int:
    if field == "etag":  # servers make an etag weak when they compress the answer, which is the same object
        return _WEAK_ETAG.sub("", str(value)).strip().strip('"')
    if field == "last_modified":
        return _instant(value)
    if field == "content_length":
        length = str(value).strip()
        return int(length) if length.isascii() and length.isdigit() else length
    return str(value).strip()


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return _isoformat(value)
    text = str(value).strip()
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, OverflowError):
            return _isoformat(parse(text))
    return text


def _isoformat(instant: datetime) -> str:
    # The standards of HTTP and S3 know UTC only, so a time without a zone is of UTC.
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat()
