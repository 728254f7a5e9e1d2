"""Error bodies of the API: problem details as in RFC 9457.

`code` is a stable word for programs, `type` links to its description, and `requestId` finds the request in the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.settings import api_settings

from seeder.errors import IdempotencyKeyTaken, SeederError
from seeder.services.documents.error_documents import problem_fields
from seeder.services.translation import translated
from seeder.texts import Text

MEDIA_TYPE = "application/problem+json"

MAX_BODY_BYTES = 2**16  # of JSON; ten times the largest useful body
NOT_FOUND, UNAVAILABLE, INTERNAL_ERROR = "not_found", "unavailable", "internal_error"
# Codes of REST framework's own exceptions that differ from its `default_code`.
_CODES = {"parse_error": "bad_request", "invalid": "validation_error"}
# These replace codes and messages that name hosts, databases or objects that the user may not see.
_GENERIC = {
    status.HTTP_404_NOT_FOUND: (NOT_FOUND, Text("Not found.")),
    status.HTTP_503_SERVICE_UNAVAILABLE: (
        UNAVAILABLE,
        Text("Temporarily unavailable. An administrator can find the cause in the log."),
    ),
}


class BodyTooLarge(APIException):
    """A JSON body is longer than all useful ones."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"
    default_detail = format_lazy(gettext_lazy("The body is longer than {number} bytes."), number=MAX_BODY_BYTES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a request was not answered as asked."""

    status: int
    code: str
    detail: str  # translated when the document is built
    fields: Mapping[str, Sequence[str]] | None = None  # messages by invalid parameter

    def document(self, path: str, request_id: str) -> dict[str, Any]:
        """Return the body of the response."""
        document = {
            **problem_fields(self.code, _make_encodable(translated(self.detail))),
            "status": self.status,
            "instance": path,
            "requestId": request_id,
        }
        return document if self.fields is None else {**document, "fields": self.fields}


def problem_of_exception(error: APIException, code: int) -> Problem:
    """Return the problem of an exception of REST framework."""
    if isinstance(error, ValidationError):
        return _validation_problem(error, code)
    return Problem(status=code, code=_CODES.get(error.default_code, error.default_code), detail=str(error.detail))


def problem_of_error(error: SeederError, code: int, *, is_staff: bool) -> Problem:
    """Return the problem of an expected error. Only staff see why the service is unavailable."""
    if isinstance(error, IdempotencyKeyTaken):  # the stored key has an internal prefix
        detail = Text(
            "This idempotency key was already used for {request}. Use another key.",
            request=error.facts["earlier_request"],
        )
        return Problem(status=code, code=error.code, detail=detail)
    if code in _GENERIC and not (code == status.HTTP_503_SERVICE_UNAVAILABLE and is_staff):
        generic_code, detail = _GENERIC[code]
        return Problem(status=code, code=generic_code, detail=detail)
    return Problem(status=code, code=error.code, detail=str(error))


def internal_problem() -> Problem:
    """Return the problem of a programming error, without its message."""
    detail = Text("An internal error. Report it to an administrator with the request id.")
    return Problem(status=status.HTTP_500_INTERNAL_SERVER_ERROR, code=INTERNAL_ERROR, detail=detail)


def _validation_problem(error: ValidationError, code: int) -> Problem:
    word = _CODES["invalid"]
    if not isinstance(error.detail, dict):
        return Problem(status=code, code=word, detail=" ".join(_flatten_messages(error.detail)))
    messages = {_make_encodable(str(name)): _flatten_messages(texts) for name, texts in error.detail.items()}
    if body_messages := messages.pop(api_settings.NON_FIELD_ERRORS_KEY, None):  # no field has them
        return Problem(status=code, code=word, detail=" ".join(body_messages))
    detail = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in messages.items())
    return Problem(status=code, code=word, detail=detail, fields=messages)


def _flatten_messages(messages: Any) -> list[str]:
    """Return the messages of nested dicts and lists."""
    if not isinstance(messages, dict | list):
        return [_make_encodable(str(messages))]
    nested = messages.values() if isinstance(messages, dict) else messages
    return [text for inner in nested for text in _flatten_messages(inner)]


def _make_encodable(text: str) -> str:
    """Escape lone surrogates, which JSON input can contain but UTF-8 output cannot."""
    return text.encode(errors="backslashreplace").decode()
