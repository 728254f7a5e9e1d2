"""Writes one object, in parts if it is large. It is invisible until it is complete."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from data_pipeline.storage_errors import StoreError, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

FIRST_PART_BYTES = 8 << 20
_PARTS_OF_A_SIZE = 1000  # then the size doubles, because an object has 10,000 parts at most


class Send(Protocol):
    """A request that is attempted again while the server is busy."""

    def __call__(self, send: Callable[[], Any], *, is_conditional_write: bool = False) -> Any:
        """Return the answer. Raises `StoreError`."""


class ObjectWriter:
    """An object that is being written."""

    def __init__(
        self, client: "S3Client", send: Send, given: Mapping[str, Any], *, condition: Mapping[str, Any]
    ) -> None:
        """Prepare an object. `given` are the arguments of its creation, `condition` those of its last request."""
        self._client, self._send, self._given, self._condition = client, send, given, condition
        self._buffer = bytearray()
        self._upload: dict[str, Any] = {}  # bucket, key and id of a multipart upload
        self._parts: list[CompletedPartTypeDef] = []
        self.size = 0  # bytes written so far
        self.etag = ""  # after the end

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._buffer += data
        self.size += len(data)
        while len(self._buffer) > (part := FIRST_PART_BYTES << (len(self._parts) // _PARTS_OF_A_SIZE)):
            self._send_part(part)

    def complete(self) -> None:
        """Make the object visible."""
        is_conditional = bool(self._condition)
        if not self._upload:
            put = partial(self._client.put_object, Body=bytes(self._buffer), **self._given, **self._condition)
            self.etag = self._send(put, is_conditional_write=is_conditional)["ETag"]
            return
        self._send_part(len(self._buffer))
        complete = partial(
            self._client.complete_multipart_upload,
            MultipartUpload={"Parts": self._parts},
            **self._upload,
            **self._condition,
        )
        try:
            self.etag = self._send(complete, is_conditional_write=is_conditional)["ETag"]
        except (StoreRefused, StoreUnavailable):  # an upload that is complete does not exist any more
            self.etag = self._etag_if_complete()
            if not self.etag:
                raise
        self._upload = {}

    def abort(self) -> None:
        """Delete the parts. If this fails, they stay invisible until a lifecycle rule of the bucket deletes them."""
        if self._upload:
            with suppress(StoreError):
                self._send(partial(self._client.abort_multipart_upload, **self._upload))

    def _etag_if_complete(self) -> str:
        """Return the etag if the object is the written one. The answer to its last request was then lost."""
        try:
            found = self._send(partial(self._client.head_object, Bucket=self._given["Bucket"], Key=self._given["Key"]))
        except StoreError:
            return ""
        is_ours = found["ETag"] == _etag_of_parts(self._parts) and found["Metadata"] == self._given["Metadata"]
        return found["ETag"] if is_ours else ""

    def _send_part(self, size: int) -> None:
        if not self._upload:
            created = self._send(partial(self._client.create_multipart_upload, **self._given))
            self._upload = {name: created[name] for name in ("Bucket", "Key", "UploadId")}
        number = len(self._parts) + 1
        with memoryview(self._buffer) as view:
            part = bytes(view[:size])
        answer = self._send(partial(self._client.upload_part, Body=part, PartNumber=number, **self._upload))
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        del self._buffer[:size]


def _etag_of_parts(parts: "Sequence[CompletedPartTypeDef]") -> str:
    """Return the etag that servers give to an object of these parts. That of an encrypted object can be another one."""
    try:
        hashes = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    except ValueError:
        return ""
    return f'"{hashlib.md5(hashes, usedforsecurity=False).hexdigest()}-{len(parts)}"'
