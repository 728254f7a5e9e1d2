"""Decorators and schemas that describe operations and pages in the OpenAPI schema."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework.serializers import CharField, Field, IntegerField, Serializer

from seeder.domain.manifests import ReportType

Method = TypeVar("Method", bound=Callable[..., Any])

JOB_PATH_PARAMETERS = [
    OpenApiParameter("reportType", str, OpenApiParameter.PATH, enum=[*map(str, ReportType)]),
    OpenApiParameter("id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description="id of the manifest"),
]


class SeederSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """Describe our session authentication, which drf-spectacular does not know."""

    target_class = "seeder.api.access_control.SeederSessionAuthentication"


def describe_operation(operation_id: str, **schema_options: Any) -> Callable[[Method], Method]:
    """Wrap `extend_schema`, but ignore the host's schema class.

    `operation_id` is the method name in generated clients. The summary and description come from the docstring.
    """

    def decorate(method: Method) -> Method:
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]  # extend_schema reads it
        summary, _, more = " ".join((method.__doc__ or "").split()).partition(". ")
        about: dict[str, Any] = {"summary": summary.rstrip("."), "description": more}
        return extend_schema(operation_id=operation_id, tags=["reporting-seeder"], **about, **schema_options)(method)

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
