"""Which status an error is: the one place that knows.

Whatever is refused is `{"detail": "…"}`, and where single fields or parameters are wrong `"fields": {name: […]}` as
well.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS, Error
from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from seeder.errors import (
    AmbiguousView,
    ConfigurationError,
    DatabaseError,
    IdempotencyKeyTaken,
    NothingToCapture,
    QueueMissing,
    SeederError,
    SnapshotTaken,
    UnknownAgency,
    UnknownJob,
    UnknownRequest,
    UnknownRun,
    UnknownSnapshot,
    UnknownTable,
)
from seeder.postgres.sqlstates import translate_database_errors

# The first that fits.
_STATUS_BY_ERROR: tuple[tuple[tuple[type[SeederError], ...], int], ...] = (
    ((ConfigurationError, DatabaseError, QueueMissing), status.HTTP_503_SERVICE_UNAVAILABLE),
    (
        (UnknownAgency, UnknownJob, UnknownRequest, UnknownRun, UnknownSnapshot, UnknownTable, NothingToCapture),
        status.HTTP_404_NOT_FOUND,
    ),
    ((IdempotencyKeyTaken, AmbiguousView, SnapshotTaken), status.HTTP_409_CONFLICT),
    ((SeederError,), status.HTTP_400_BAD_REQUEST),
)
# What these say names hosts, databases and what else there is, or is not, beyond what somebody may see.
_GENERIC_MESSAGES = {
    status.HTTP_503_SERVICE_UNAVAILABLE: "This cannot be answered now. Who looks after the server can find out why.",
    status.HTTP_404_NOT_FOUND: "There is no such thing here.",
}


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to who caused this; None for a mistake of ours."""
    if isinstance(error, Error):
        error = _translate_database_error(error)
    if isinstance(error, SeederError):
        code = next(code for error_types, code in _STATUS_BY_ERROR if isinstance(error, error_types))
        return Response({"detail": _make_encodable(_detail(error, code, context))}, status=code)
    response = exception_handler(error, dict(context))
    if response is not None:
        response.data = _body(error)
    return response


def _translate_database_error(error: Error) -> Exception:
    """What an error of the database means, be it that it came from the host's own tables of users."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            raise error
    except (SeederError, Error) as translated:
        return translated


def _detail(error: SeederError, code: int, context: Mapping[str, Any]) -> str:
    if code == status.HTTP_503_SERVICE_UNAVAILABLE and _is_staff(context):
        return str(error)
    if isinstance(error, IdempotencyKeyTaken):  # by the same user; how we keep it is nobody's business
        return (
            f"This idempotency key belongs to an earlier request, for {error.facts['earlier_request']}. Take"
            " another one."
        )
    return _GENERIC_MESSAGES.get(code, str(error))


def _is_staff(context: Mapping[str, Any]) -> bool:
    """Of who is known already: to ask would need the database, which may be what is wrong."""
    user = getattr(context.get("request"), "_user", None)
    return bool(getattr(user, "is_staff", False))


def _body(error: Exception) -> Mapping[str, Any]:
    match error:
        case ValidationError(detail=dict() as fields):
            messages_by_field = {
                _make_encodable(name): _flatten_messages(messages) for name, messages in fields.items()
            }
            summary = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in messages_by_field.items())
            return {"detail": summary, "fields": messages_by_field}
        case ValidationError(detail=detail):
            return {"detail": " ".join(_flatten_messages(detail))}
        case APIException(detail=detail):
            return {"detail": str(detail)}
        case Http404():
            return {"detail": _GENERIC_MESSAGES[status.HTTP_404_NOT_FOUND]}
        case PermissionDenied():
            return {"detail": "You may not do this."}
    raise error  # exception_handler() answers nothing else


def _flatten_messages(messages: Any) -> list[str]:
    """However deep they are."""
    if isinstance(messages, dict):
        return [text for inner in messages.values() for text in _flatten_messages(inner)]
    if isinstance(messages, list):
        return [text for inner in messages for text in _flatten_messages(inner)]
    return [_make_encodable(str(messages))]


def _make_encodable(text: str) -> str:
    """It can quote half a character, which JSON can say and UTF-8 cannot."""
    return text.encode(errors="backslashreplace").decode()
