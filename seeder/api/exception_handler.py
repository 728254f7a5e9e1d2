"""Translate exceptions into problem details with an HTTP status."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import DEFAULT_DB_ALIAS
from django.http import Http404
from django.utils.log import log_response
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from seeder.api.problem_details import (
    MEDIA_TYPE,
    BodyTooLarge,
    Problem,
    internal_problem,
    problem_of_error,
    problem_of_exception,
)
from seeder.errors import ConfigurationError, DatabaseError, IdempotencyKeyTaken, QueueMissing, SeederError
from seeder.postgres.sqlstates import translate_database_errors

ErrorStatuses = tuple[tuple[tuple[type[SeederError], ...], int], ...]

# Statuses of errors that every view can raise. A view's own `error_statuses` come first, and the first match counts.
_SHARED_STATUSES: ErrorStatuses = (
    ((ConfigurationError, DatabaseError, QueueMissing), status.HTTP_503_SERVICE_UNAVAILABLE),
    ((IdempotencyKeyTaken,), status.HTTP_409_CONFLICT),
    ((SeederError,), status.HTTP_400_BAD_REQUEST),
)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the error response, or None to raise a programming error again while debugging."""
    view, request = context["view"], context["request"]
    problem, response = _problem(error, context)
    if problem.status == status.HTTP_500_INTERNAL_SERVER_ERROR:
        if settings.DEBUG or settings.DEBUG_PROPAGATE_EXCEPTIONS:
            return None
        got_request_exception.send(sender=None, request=request._request)  # noqa: SLF001  # what Django would send
        log_response(
            "%s: %s", "Internal Server Error", request.path, response=response, request=request, exception=error
        )
    view.problem_occurred(problem)
    response.data, response.content_type = problem.document(request.path, view.request_id), MEDIA_TYPE
    return response


def _problem(error: Exception, context: Mapping[str, Any]) -> tuple[Problem, Response]:
    """Return the problem of an exception, and a response with its status and headers."""
    if isinstance(error, RequestDataTooBig):  # from Django, before a parser sees the body
        error = BodyTooLarge()
    if (response := exception_handler(error, dict(context))) is not None:
        if isinstance(error, Http404):
            error = exceptions.NotFound()
        elif isinstance(error, PermissionDenied):
            error = exceptions.PermissionDenied()
        assert isinstance(error, exceptions.APIException)  # noqa: S101  # REST framework handles no other class
        return problem_of_exception(error, response.status_code), response
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):  # the error may be from the host's user tables
            raise error  # noqa: TRY301  # only a context manager translates it
    except SeederError as expected:
        statuses: ErrorStatuses = (*context["view"].error_statuses, *_SHARED_STATUSES)
        code = next(code for error_types, code in statuses if isinstance(expected, error_types))
        user = getattr(context["request"], "_user", None)  # loading it would need the database, which may have failed
        problem = problem_of_error(expected, code, is_staff=bool(getattr(user, "is_staff", False)))
    except Exception:  # noqa: BLE001  # a programming error
        problem = internal_problem()
    return problem, Response(status=problem.status)
