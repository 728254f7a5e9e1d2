"""Translate exceptions into JSON responses with an HTTP status.

The body is `{"detail": "…"}`, and for invalid parameters also `"fields": {name: […]}`.
"""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from seeder.errors import ConfigurationError, DatabaseError, IdempotencyKeyTaken, QueueMissing, SeederError
from seeder.postgres.sqlstates import translate_database_errors

ErrorStatuses = tuple[tuple[tuple[type[SeederError], ...], int], ...]

# Statuses of errors that every view can raise. A view's own `error_statuses` come first, and the first match counts.
_SHARED_STATUSES: ErrorStatuses = (
    ((ConfigurationError, DatabaseError, QueueMissing), status.HTTP_503_SERVICE_UNAVAILABLE),
    ((IdempotencyKeyTaken,), status.HTTP_409_CONFLICT),
    ((SeederError,), status.HTTP_400_BAD_REQUEST),
)
# These replace messages that name hosts, databases or objects that the user may not see.
_GENERIC_MESSAGES = {
    status.HTTP_503_SERVICE_UNAVAILABLE: "Temporarily unavailable. An administrator can find the cause in the log.",
    status.HTTP_404_NOT_FOUND: "Not found.",
}


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the error response, or None to re-raise a programming error."""
    if isinstance(error, Error):
        error = _translate_database_error(error)
    if isinstance(error, SeederError):
        code = _status_of(error, context)
        return Response({"detail": _make_encodable(_detail(error, code, context))}, status=code)
    response = exception_handler(error, dict(context))
    if response is not None and isinstance(error, ValidationError):
        response.data = _validation_body(error.detail)
    return response


def _status_of(error: SeederError, context: Mapping[str, Any]) -> int:
    statuses: ErrorStatuses = (*getattr(context.get("view"), "error_statuses", ()), *_SHARED_STATUSES)
    return next(code for error_types, code in statuses if isinstance(error, error_types))


def _translate_database_error(error: Error) -> Exception:
    """Translate a database error, including one from the host's user tables."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            raise error
    except (SeederError, Error) as translated:
        return translated


def _detail(error: SeederError, code: int, context: Mapping[str, Any]) -> str:
    if code == status.HTTP_503_SERVICE_UNAVAILABLE and _is_staff(context):
        return str(error)
    if isinstance(error, IdempotencyKeyTaken):  # the stored key has an internal prefix
        return f"This idempotency key was already used for {error.facts['earlier_request']}. Use another key."
    return _GENERIC_MESSAGES.get(code, str(error))


def _is_staff(context: Mapping[str, Any]) -> bool:
    """Return True if the loaded user is staff.

    A user that is not loaded yet counts as False, because loading needs the database, which may have failed.
    """
    user = getattr(context.get("request"), "_user", None)
    return bool(getattr(user, "is_staff", False))


def _validation_body(detail: Any) -> Mapping[str, Any]:
    if not isinstance(detail, dict):
        return {"detail": " ".join(_flatten_messages(detail))}
    messages = {_make_encodable(name): _flatten_messages(texts) for name, texts in detail.items()}
    return {"detail": "; ".join(f"{name}: {' '.join(texts)}" for name, texts in messages.items()), "fields": messages}


def _flatten_messages(messages: Any) -> list[str]:
    """Return the messages of nested dicts and lists."""
    if isinstance(messages, dict):
        return [text for inner in messages.values() for text in _flatten_messages(inner)]
    if isinstance(messages, list):
        return [text for inner in messages for text in _flatten_messages(inner)]
    return [_make_encodable(str(messages))]


def _make_encodable(text: str) -> str:
    """Escape lone surrogates, which JSON input can contain but UTF-8 output cannot."""
    return text.encode(errors="backslashreplace").decode()
