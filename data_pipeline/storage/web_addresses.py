"""Files of web servers: `https://` URLs of allowed hosts."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from data_pipeline import conf
from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged, VersionUnknown
from data_pipeline.domain.uris import without_query, without_signature
from data_pipeline.http.client import HTTPClient
from data_pipeline.http.policy import HTTPPolicy, policy_of
from data_pipeline.http_errors import UnexpectedStatus
from seeder.texts import Text

INTEGRATION = "files"  # for the metrics, and the prefix of the settings
_TOTAL_S = 3600.0  # of a file, unless its integration allows more: the database reads as fast as it can
_MEGABYTE = 1024 * 1024
_AS_IT_IS = {"accept-encoding": "identity"}  # the size and the version are those of the stored bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class WebAddress:
    """A file in the version at the time of its resolution.

    It is read in this version only.
    """

    url: str
    size: int  # bytes
    etag: str | None  # with its quotes
    last_modified: str | None
    max_spooled_bytes: int

    @property
    def path(self) -> str:
        """The address for messages."""
        return without_query(self.url)

    @property
    def name(self) -> str:
        """The name without its folders."""
        return unquote(urlsplit(self.url).path.rstrip("/").rpartition("/")[2])

    @property
    def uri(self) -> str:
        """The address for records."""
        return without_signature(self.url)

    def identity(self) -> dict[str, Any]:
        """Return what identifies the artefact, as arguments of `compute_idempotency_key`."""
        version = {"etag": self.etag, "last_modified": self.last_modified, "content_length": self.size}
        return {"path": self.uri, "remote_meta": {name: value for name, value in version.items() if value is not None}}

    def open(self) -> "WebStream":
        """Open the file. Raises `SourceChanged` if it has another version now, and `CallError`."""
        return WebStream(self)


class WebStream:
    """An open file."""

    def __init__(self, address: WebAddress) -> None:
        self._rest = b""
        condition = {"if-match": address.etag} if address.etag and address.etag.startswith('"') else {}
        with ExitStack() as opened:
            client = opened.enter_context(HTTPClient(INTEGRATION, policy=policy_of_files()))
            try:
                answer = opened.enter_context(client.stream("GET", address.url, headers=_AS_IT_IS | condition))
            except UnexpectedStatus as error:
                raise _artefact_error(error, address.path) from error
            now = (answer.headers.get("etag"), answer.headers.get("last-modified"))
            if now != (address.etag, address.last_modified):
                raise SourceChanged(path=address.path, change=Text("the server has another version now"))
            self._chunks = iter(answer)
            self._opened = opened.pop_all()

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end. Raises `CallError`."""
        try:
            while size and not self._rest and (chunk := next(self._chunks, None)) is not None:
                self._rest = chunk
        except Exception:
            self._opened.__exit__(*sys.exc_info())  # raises the error of the call instead
            raise
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()


def resolve_url(url: str, settings: conf.Settings) -> WebAddress:
    """Return the address of a URL. The file must exist, on an allowed host, and its server must name its version.

    Raises `CallError`, `ArtefactMissing` or `VersionUnknown`.
    """
    url = url.partition("#")[0]
    try:
        with HTTPClient(INTEGRATION, policy=policy_of_files()) as client:
            headers = client.request("HEAD", url, headers=_AS_IT_IS).headers
    except UnexpectedStatus as error:
        raise _artefact_error(error, without_query(url)) from error
    etag, last_modified, length = (headers.get(name) for name in ("etag", "last-modified", "content-length"))
    if length is None or not (length.isascii() and length.isdigit()) or "content-encoding" in headers:
        raise VersionUnknown(path=without_query(url), fact=Text("its size"))
    if etag is None and last_modified is None and settings.key_by != "content":
        raise VersionUnknown(path=without_query(url), fact=Text("its version (ETag or Last-Modified)"))
    return WebAddress(
        url=url,
        size=int(length),
        etag=etag,
        last_modified=last_modified,
        max_spooled_bytes=settings.max_spooled_mb * _MEGABYTE,
    )


def policy_of_files() -> HTTPPolicy:
    """Return the time limits and the hosts of files."""
    policy = policy_of(INTEGRATION)
    return replace(policy, total_s=max(policy.total_s, _TOTAL_S))


def _artefact_error(error: UnexpectedStatus, path: str) -> Exception:
    """Return the error of a file for the status of its server."""
    if error.status_code == 412:
        return SourceChanged(path=path, change=Text("the server has another version now"))
    return ArtefactMissing(path=path) if error.status_code in {404, 410} else error
