"""Translate exceptions into JSON responses with an HTTP status.

The body is `{"detail": "…"}`, and for invalid parameters also `"fields": {name: […]}`.
"""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS
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
    if (response := exception_handler(error, dict(context))) is not None:
        if isinstance(error, ValidationError):
            response.data = _validation_body(error.detail)
        return response
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):  # the error may be from the host's user tables
            raise error  # noqa: TRY301  # only a context manager translates it
    except SeederError as expected:
        statuses: ErrorStatuses = (*getattr(context.get("view"), "error_statuses", ()), *_SHARED_STATUSES)
        code = next(code for error_types, code in statuses if isinstance(expected, error_types))
        return Response({"detail": _make_encodable(_detail(expected, code, context))}, status=code)
    except Exception:  # noqa: BLE001  # DRF raises it again
        return None


def _detail(error: SeederError, code: int, context: Mapping[str, Any]) -> str:
    user = getattr(context.get("request"), "_user", None)  # loading it would need the database, which may have failed
    if code == status.HTTP_503_SERVICE_UNAVAILABLE and getattr(user, "is_staff", False):
        return str(error)
    if isinstance(error, IdempotencyKeyTaken):  # the stored key has an internal prefix
        return f"This idempotency key was already used for {error.facts['earlier_request']}. Use another key."
    return _GENERIC_MESSAGES.get(code, str(error))


def _validation_body(detail: Any) -> Mapping[str, Any]:
    if not isinstance(detail, dict):
        return {"detail": " ".join(_flatten_messages(detail))}
    messages = {_make_encodable(name): _flatten_messages(texts) for name, texts in detail.items()}
    return {"detail": "; ".join(f"{name}: {' '.join(texts)}" for name, texts in messages.items()), "fields": messages}


def _flatten_messages(messages: Any) -> list[str]:
    """Return the messages of nested dicts and lists."""
    if not isinstance(messages, dict | list):
        return [_make_encodable(str(messages))]
    nested = messages.values() if isinstance(messages, dict) else messages
    return [text for inner in nested for text in _flatten_messages(inner)]


def _make_encodable(text: str) -> str:
    """Escape lone surrogates, which JSON input can contain but UTF-8 output cannot."""
    return text.encode(errors="backslashreplace").decode()
