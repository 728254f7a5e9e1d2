"""Addresses of local files, limited to the allowed folders.

An address is a plain path or a `file://` URI.
"""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from data_pipeline.artefact_errors import (
    ArtefactError,
    ArtefactForbidden,
    ArtefactMissing,
    ArtefactUnreadable,
    BadAddress,
    NotRegularFile,
    OutsideRoots,
    UnsupportedScheme,
)
from seeder.texts import Text

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})", re.ASCII)
_KINDS = {
    stat.S_IFDIR: Text("a folder"),
    stat.S_IFIFO: Text("a pipe"),
    stat.S_IFSOCK: Text("a socket"),
    stat.S_IFCHR: Text("a device"),
    stat.S_IFBLK: Text("a device"),
    stat.S_IFLNK: Text("a symbolic link"),
}
# A folder is passed through with execute permission only, as by the operating system. macOS has no O_PATH.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileVersion(NamedTuple):
    """The size and modification time of a file.

    They differ between two contents, unless the file is changed twice within one tick of the clock.
    """

    size: int  # bytes
    modified_ns: int  # since 1970

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_size, status.st_mtime_ns)

    def change_to(self, now: Self) -> str:
        """Describe the difference of another version."""
        if now.size != self.size:
            return Text("its size went from {before:,} to {now:,} bytes", before=self.size, now=now.size)
        return Text("it has another modification time")


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalAddress:
    """A regular file without symbolic links in its path."""

    path: Path
    version: FileVersion | None = None  # when the address was resolved; the file is read in this version only

    @property
    def size(self) -> int:
        """The size in bytes when the address was resolved."""
        return self.version.size if self.version else 0

    @property
    def name(self) -> str:
        """The name without its folders."""
        return self.path.name

    @property
    def uri(self) -> str:
        """The canonical `file://` URI, for records."""
        return self.path.as_uri()

    def identity(self) -> dict[str, Any]:
        """Return what identifies the artefact, as arguments of `compute_idempotency_key`."""
        return {"path": self.path}

    def open(self) -> BinaryIO:
        """Open the file for unbuffered reading.

        No part of the path may have become a symbolic link since it was resolved, so each is opened without following.
        """
        try:
            descriptor = _open_without_links(self.path)
        except OSError as error:
            raise reading_error(self.path, error) from error
        file = os.fdopen(descriptor, "rb", buffering=0)
        try:
            _require_regular(self.path, os.fstat(descriptor).st_mode)
        except ArtefactError:
            file.close()
            raise
        return file


def resolve(source_uri: str, *, roots: Sequence[str]) -> LocalAddress:
    """Return the canonical address of a plain path or a `file://` URI.

    With roots, the file must be inside one of them after all symbolic links are resolved.
    """
    path = Path(_local_path(source_uri))
    try:
        resolved = path.resolve(strict=True)
    except OSError as error:
        # A path outside of the roots must not reveal whether it exists.
        _require_inside(path.resolve(), roots)
        raise reading_error(path, error) from error
    except RuntimeError as error:  # a loop of symbolic links, before Python 3.13
        raise BadAddress(address=source_uri, problem=Text("its symbolic links form a loop")) from error
    _require_inside(resolved, roots)
    try:
        status = resolved.stat()
    except OSError as error:
        raise reading_error(resolved, error) from error
    _require_regular(resolved, status.st_mode)
    return LocalAddress(path=resolved, version=FileVersion.of(status))


def _local_path(source_uri: str) -> str:
    """Return the path that an address names."""
    if match := _SCHEME.match(source_uri):
        scheme = match[1].lower()
        if scheme != "file":
            # The address is not repeated: its query may hold a signature.
            raise UnsupportedScheme(scheme=scheme)
        path = _path_of_uri(source_uri)
    elif source_uri[:5].lower() == "file:":
        raise BadAddress(address=source_uri, problem=Text("write file:///folder/name"))
    else:
        path = source_uri
    if not path:
        raise BadAddress(address=source_uri, problem=Text("it is empty"))
    if "\0" in path:
        raise BadAddress(address=source_uri, problem=Text("a path cannot contain a NUL character"))
    return path


def _path_of_uri(uri: str) -> str:
    """Return the path of a `file://` URI without percent-encoding."""
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise BadAddress(address=uri, problem=Text("it is not a valid URI")) from error
    if parts.netloc not in {"", "localhost"}:
        raise BadAddress(
            address=uri, problem=Text("it names the host {host!r}. Write file:///folder/name", host=parts.netloc)
        )
    if "?" in uri or "#" in uri:
        raise BadAddress(address=uri, problem=Text("it has a query or a fragment. Write ? as %3F and # as %23"))
    if _BAD_ESCAPE.search(parts.path):
        raise BadAddress(address=uri, problem=Text("% must be followed by two hexadecimal digits. Write % as %25"))
    return unquote(parts.path, errors="surrogateescape")


def _require_inside(path: Path, roots: Sequence[str]) -> None:
    if roots and not any(path.is_relative_to(Path(root).resolve()) for root in roots):
        raise OutsideRoots(path=path, roots=", ".join(roots))


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularFile(path=path, kind=_KINDS.get(stat.S_IFMT(mode), Text("a special file")))


def _open_without_links(path: Path) -> int:
    """Return a descriptor of a file without following links.

    Its path is walked folder by folder.
    """
    folder = os.open(path.anchor, _FOLDER)
    try:
        for name in path.parts[1:-1]:
            parent, folder = folder, os.open(name, _FOLDER, dir_fd=folder)
            os.close(parent)
        return os.open(path.name, _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def reading_error(path: Path, error: OSError) -> ArtefactError:
    """Return the error that explains why a file cannot be opened."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return ArtefactMissing(path=path)
        case PermissionError():
            return ArtefactForbidden(path=path)
        case _:
            return ArtefactUnreadable(path=path, cause=error.strerror or error)
