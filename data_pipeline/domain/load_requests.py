"""Queued loads, and other work on loads for the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RequestState(StrEnum):
    """The closed set of the column `load_request.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class RequestAction(StrEnum):
    """The closed set of the column `load_request.action`."""

    LOAD = "load"  # of a file, also again
    UNDO = "undo"
    VERIFY = "verify"
    TRANSFORM = "transform"  # of an object, from bronze to silver
    REPLAY_REJECTS = "replay_rejects"  # of a load, corrected or as they are
    DRY_RUN = "dry_run"  # of the load of a file
    RECORDS = "records"  # the load of uploaded records


class RequestStatus(StrEnum):
    """The state of a request as an operator sees it."""

    QUEUED = "queued"
    RUNNING = "running"
    LOST = "lost"  # its worker has ended, so a rescuer queues it again
    FAILED = "failed"
    DONE = "done"

    @classmethod
    def of(cls, state: str, *, has_error: bool, is_worker_alive: bool) -> "RequestStatus":
        match RequestState(state):
            case RequestState.QUEUED:
                return cls.QUEUED
            case RequestState.RUNNING:
                return cls.RUNNING if is_worker_alive else cls.LOST
            case RequestState.ENDED:
                return cls.FAILED if has_error else cls.DONE


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSummary:
    """A request and its state."""

    request_id: int
    action: str
    source_uri: str
    label: str | None  # name of the file at the client that uploaded it
    load_id: int | None
    status: RequestStatus
    requested_by: str
    worker: str | None  # of the last claim
    attempts: int
    error_message: str | None
    error_code: str | None
    result: Mapping[str, Any] | None  # of a dry run
    requested_at: datetime
    finished_at: datetime | None
