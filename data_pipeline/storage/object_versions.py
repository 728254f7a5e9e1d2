"""Objects by name, and their versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from data_pipeline.artefact_errors import BadAddress
from data_pipeline.domain.uris import without_query
from seeder.texts import Text

SCHEME = "s3://"
_BUCKET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]", re.ASCII)
_MAX_KEY_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")  # of a header; other characters are percent-encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectVersion:
    """One version of an object."""

    bucket: str
    key: str
    size: int  # bytes
    etag: str  # with its quotes
    modified_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)  # not known in a listing

    @classmethod
    def of_answer(cls, bucket: str, key: str, answer: Mapping[str, Any]) -> "ObjectVersion":
        """Return the version in an answer to GET or HEAD."""
        return cls(
            bucket=bucket,
            key=key,
            size=answer["ContentLength"],
            etag=answer["ETag"],
            modified_at=answer["LastModified"].astimezone(UTC),
            metadata=decoded_metadata(answer.get("Metadata", {})),
        )

    @property
    def uri(self) -> str:
        """The address, for records."""
        return object_uri(self.bucket, self.key)

    def stable_metadata(self) -> Mapping[str, object]:
        """Return what identifies the version, as for `compute_idempotency_key`."""
        return {"etag": self.etag, "last_modified": self.modified_at, "content_length": self.size}


def object_uri(bucket: str, key: str) -> str:
    """Return the address of an object. Its key is not encoded, as in the AWS CLI."""
    return f"{SCHEME}{bucket}/{key}"


def shown_uri(bucket: str, key: str) -> str:
    """Return the address in one line, for messages: control characters are escaped."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", object_uri(bucket, key))


def is_bucket_name(text: str) -> bool:
    """Return whether a bucket can have this name."""
    return _BUCKET.fullmatch(text) is not None


def parse_object_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address. Raises `BadAddress`."""
    bucket, _, key = uri[len(SCHEME) :].partition("/")
    shown = _CONTROL.sub("?", without_query(uri))  # without what may be credentials
    if "@" in bucket:
        raise BadAddress(
            address=shown, problem=Text("it has credentials. Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY")
        )
    if not is_bucket_name(bucket):
        problem = Text("a bucket's name has 3 to 255 letters, digits, dots, hyphens and underscores")
        raise BadAddress(address=shown, problem=problem)
    if not key:
        raise BadAddress(address=shown, problem=Text("it names no object. Write s3://bucket/folder/name"))
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise BadAddress(address=shown, problem=Text("its key is not Unicode")) from error
    if length > _MAX_KEY_BYTES:
        raise BadAddress(
            address=shown, problem=Text("its key has {length:,} bytes, but 1,024 are allowed", length=length)
        )
    if "\0" in key:
        raise BadAddress(address=shown, problem=Text("a key cannot contain a NUL character"))
    return bucket, key


def encoded_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return metadata as headers can have them."""
    return {name: quote(value, safe=_PLAIN) for name, value in metadata.items()}


def decoded_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return metadata of `encoded_metadata` as they were."""
    return {name: unquote(value) for name, value in metadata.items()}
