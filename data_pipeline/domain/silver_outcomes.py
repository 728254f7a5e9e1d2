"""What a run of the transform to silver did with each object."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class ObjectState(StrEnum):
    """The closed set of outcomes."""

    WRITTEN = "written"
    SKIPPED = "skipped"  # another process has written it meanwhile
    BUSY = "busy"  # another process writes it now
    FAILED = "failed"
    QUEUED = "queued"  # for a worker
    DUE = "due"  # in a dry run


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectOutcome:
    """The outcome of one version of an object."""

    source_uri: str
    state: ObjectState
    size_bytes: int  # of the source
    silver_uri: str | None = None
    rejects_uri: str | None = None  # of the records that were refused
    dialect: str | None = None
    rows: int | None = None
    rejects: int | None = None
    duration: timedelta = timedelta()
    load_id: int | None = None  # None without a database
    request_id: int | None = None  # of the queue
    error: str | None = None
