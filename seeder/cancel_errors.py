"""Expected errors of cancelling a request or a run."""

from seeder.errors import RequestError, UnknownObject


class RequestEnded(RequestError):
    """The request or run {request_id!r} has ended, so it cannot be cancelled. The history has its results."""


class RequestShared(RequestError):
    """The request or run {request_id!r} also refreshes reports of agencies that you may not see. Ask a user of all its
    agencies to cancel it."""


class UnknownRequestOrRun(UnknownObject):
    """There is no request and no run {given_id!r}, so nothing was cancelled. `manage.py queue_status` has the requests;
    `manage.py refresh_status --status running --json` has the runs of the running views as lastRunId."""
