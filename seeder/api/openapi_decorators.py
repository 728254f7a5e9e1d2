"""Decorators and schemas that describe operations and pages in the OpenAPI schema."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework.serializers import CharField, Field, IntegerField, Serializer

from seeder.api.document_serializers import ErrorSerializer
from seeder.domain.manifests import ReportType

Method = TypeVar("Method", bound=Callable[..., Any])

_ERROR_RESPONSES = {
    400: "The request is invalid; `fields` lists the invalid parameters.",
    401: "Not logged in.",
    403: "Permission denied.",
    404: "Not found, or not visible to this user.",
    503: "The database is unavailable or a setting is invalid.",
}
_WRITE_ERROR_RESPONSES = {
    409: "Conflicts with an existing object.",
    415: "The body is not JSON.",
    429: "Too many write requests; `Retry-After` is the number of seconds to wait.",
}

JOB_PATH_PARAMETERS = [
    OpenApiParameter("reportType", str, OpenApiParameter.PATH, enum=[*map(str, ReportType)]),
    OpenApiParameter("id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description="id of the manifest"),
]


class SeederSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """Describe our session authentication, which drf-spectacular does not know."""

    target_class = "seeder.api.authentication_and_throttling.SeederSessionAuthentication"


def describe_operation(operation_id: str, response: Any, **schema_options: Any) -> Callable[[Method], Method]:
    """Wrap `extend_schema`, but ignore the host's schema class, and add the error responses.

    `operation_id` is the method name in generated clients. The summary and description come from the docstring.
    """

    def decorate(method: Method) -> Method:
        is_write = method.__name__ == "post"
        texts = _ERROR_RESPONSES | (_WRITE_ERROR_RESPONSES if is_write else {})
        errors = {code: OpenApiResponse(ErrorSerializer, text) for code, text in texts.items()}
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]  # extend_schema reads it
        summary, _, more = " ".join((method.__doc__ or "").split()).partition(". ")
        return extend_schema(
            operation_id=operation_id,
            tags=["reporting-seeder"],
            summary=summary.rstrip("."),
            description=more,
            responses={202 if is_write else 200: response, **errors},
            **schema_options,
        )(method)

    return decorate


@cache
def page_schema(serializer: type[Serializer[Any]], *, is_counted: bool = False) -> Serializer[Any]:
    """Return the schema of a cursor page, or of a numbered page with a total count."""
    counts: dict[str, Field[Any, Any, Any, Any]] = {
        "count": IntegerField(help_text="number of rows on all pages"),
        "previous": CharField(allow_null=True, help_text="URL of the previous page, null on the first"),
    }
    links = {"next": CharField(allow_null=True, help_text="URL of the next page, null on the last")}
    name = serializer.__name__.removesuffix("Serializer")
    return inline_serializer(
        f"{name}Page" if is_counted else f"{name}CursorPage",
        {**(counts if is_counted else {}), **links, "results": serializer(many=True)},
    )
