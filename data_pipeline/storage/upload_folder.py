"""Uploads in a folder."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from data_pipeline.storage.incoming_upload import ABANDONED_AFTER, IncomingUpload, UploadPlace
from data_pipeline.upload_errors import UploadNotStored

_TEMPORARY = ".incoming-"
_PUBLISHED = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UploadFolder(UploadPlace):
    """The folder `UPLOAD_ROOT`. A published file has the hash of its bytes as its name."""

    def __init__(self, root: str) -> None:
        self._folder = Path(root).resolve()

    def receive(self, *, max_bytes: int) -> "FolderUpload":
        return FolderUpload(self._folder, max_bytes=max_bytes)

    def published(self) -> Iterator[tuple[str, str]]:
        with _explained_errors():
            names = sorted(path.name for path in self._folder.iterdir() if _PUBLISHED.fullmatch(path.name))
        yield from ((name, (self._folder / name).as_uri()) for name in names)

    def remove(self, content_blake2b: str) -> None:
        with _explained_errors():
            (self._folder / content_blake2b).unlink(missing_ok=True)

    def remove_abandoned(self, *, dry_run: bool) -> int:
        oldest, removed = time.time() - ABANDONED_AFTER.total_seconds(), 0
        with _explained_errors():
            for path in self._folder.glob(f"{_TEMPORARY}*"):
                with suppress(FileNotFoundError):  # its upload ended meanwhile
                    if path.stat().st_mtime < oldest:
                        if not dry_run:
                            path.unlink()
                        removed += 1
        return removed


class FolderUpload(IncomingUpload):
    """A file that is being uploaded."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self._folder, self._temporary = folder, folder / f"{_TEMPORARY}{uuid4().hex}"
        with _explained_errors():
            self._file = os.fdopen(os.open(self._temporary, _CREATE, 0o600), "wb", buffering=0)

    @property
    def uri(self) -> str:
        return self._final.as_uri()

    def publish(self) -> None:
        with _explained_errors():
            if not self._final.exists():  # a loader may be reading it
                self._temporary.rename(self._final)
                self._sync_folder()

    def _discard(self) -> None:
        self._file.close()
        with _explained_errors():
            self._temporary.unlink(missing_ok=True)

    @property
    def _final(self) -> Path:
        return self._folder / self.content_blake2b

    def _append(self, data: bytes) -> None:
        with _explained_errors(), memoryview(data) as rest:
            written = 0
            while written < len(rest):  # a write to a full disk can be short
                written += self._file.write(rest[written:])

    def _close(self) -> None:
        with _explained_errors():
            os.fsync(self._file.fileno())
            self._file.close()

    def _sync_folder(self) -> None:
        """Make the new name survive a crash of the machine."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _explained_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UploadNotStored(cause=error.strerror or error, place="UPLOAD_ROOT") from error
