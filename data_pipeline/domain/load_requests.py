"""The state of a queued load."""

from enum import StrEnum


class RequestState(StrEnum):
    """The closed set of the column `load_request.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
