"""What the schema is told of an address, and how lists are wrapped."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from seeder.domain.manifests import ReportType

Method = TypeVar("Method", bound=Callable[..., Any])

JOB_PATH_PARAMETERS = [
    OpenApiParameter("reportType", str, OpenApiParameter.PATH, enum=[*map(str, ReportType)]),
    OpenApiParameter("id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description="of the manifest"),
]


class SeederSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """The cookie of the host's login; without this the schema would leave it out."""

    target_class = "seeder.api.access_control.SeederSessionAuthentication"


def describe_operation(operation_id: str, **schema_options: Any) -> Callable[[Method], Method]:
    """As `extend_schema`, which would start from whatever the host describes its own views with. The name is what a
    generated client calls it."""

    def decorate(method: Method) -> Method:
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]  # where it looks
        summary, _, more = " ".join((method.__doc__ or "").split()).partition(". ")
        about: dict[str, Any] = {"summary": summary.rstrip("."), "description": more}
        return extend_schema(operation_id=operation_id, tags=["reporting-seeder"], **about, **schema_options)(method)

    return decorate


@cache
def page_schema(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A page of a list that is counted."""
    return inline_serializer(
        f"{_component_name(serializer)}Page",
        {
            "count": serializers.IntegerField(help_text="rows on all pages"),
            "next": serializers.CharField(allow_null=True, help_text="address of the next page"),
            "previous": serializers.CharField(allow_null=True, help_text="address of the page before"),
            "results": serializer(many=True),
        },
    )


@cache
def cursor_page_schema(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A slice of a list that nobody counts."""
    return inline_serializer(
        f"{_component_name(serializer)}Slice",
        {
            "next": serializers.CharField(allow_null=True, help_text="address of the next slice"),
            "results": serializer(many=True),
        },
    )


def _component_name(serializer: type[serializers.Serializer[Any]]) -> str:
    return serializer.__name__.removesuffix("Serializer")
