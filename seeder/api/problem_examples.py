"""Examples of problems for the OpenAPI schema, one for each status."""

from functools import cache
from typing import Any

from django.utils import translation
from rest_framework import exceptions, status

from seeder.api.problem_details import BodyTooLarge, Problem, internal_problem, problem_of_error, problem_of_exception
from seeder.errors import DatabaseError, IdempotencyKeyTaken


@cache
def example_of(code: int) -> dict[str, Any] | None:
    """Return the body of a problem with this status in English, or None if there is no example."""
    with translation.override("en"):
        found = next((one for one in _problems() if one.status == code), None)
        return None if found is None else problem_document(found)


def problem_document(problem: Problem) -> dict[str, Any]:
    return problem.document("/api/seeder/v1/jobs/", "0f3fb1c1cf2e4a53a1f6f9b4d8c7e1a2")


def _problems() -> list[Problem]:
    rest_errors = (
        exceptions.ValidationError({"pageSize": ["Ensure this value is less than or equal to 100."]}),
        exceptions.NotAuthenticated(),
        exceptions.PermissionDenied(),
        exceptions.NotFound(),
        exceptions.MethodNotAllowed("POST"),
        BodyTooLarge(),
        exceptions.UnsupportedMediaType("text/plain"),
        exceptions.Throttled(wait=30),
    )
    key_taken = IdempotencyKeyTaken(key="trend-1", earlier_request="the agency demo", request="the agency metro")
    return [
        *(problem_of_exception(error, error.status_code) for error in rest_errors),
        problem_of_error(key_taken, status.HTTP_409_CONFLICT, is_staff=False),
        internal_problem(),
        problem_of_error(DatabaseError(), status.HTTP_503_SERVICE_UNAVAILABLE, is_staff=False),
    ]
