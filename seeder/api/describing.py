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

JOB = [
    OpenApiParameter("reportType", str, OpenApiParameter.PATH, enum=[*map(str, ReportType)]),
    OpenApiParameter("id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description="of the manifest"),
]


class SessionLoginScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """The cookie of the host's login; without this the schema would leave it out."""

    target_class = "seeder.api.logins.SessionLogin"


def described(name: str, **how: Any) -> Callable[[Method], Method]:
    """As `extend_schema`, which would start from whatever the host describes its own views with. The name is what a
    generated client calls it."""

    def describe(method: Method) -> Method:
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]  # where it looks
        summary, _, more = " ".join((method.__doc__ or "").split()).partition(". ")
        about: dict[str, Any] = {"summary": summary.rstrip("."), "description": more}
        return extend_schema(operation_id=name, tags=["reporting-seeder"], **about, **how)(method)

    return describe


@cache
def page_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A page of a list that is counted."""
    return inline_serializer(
        f"{_name(serializer)}Page",
        {
            "count": serializers.IntegerField(help_text="rows on all pages"),
            "next": serializers.CharField(allow_null=True, help_text="address of the next page"),
            "previous": serializers.CharField(allow_null=True, help_text="address of the page before"),
            "results": serializer(many=True),
        },
    )


@cache
def slice_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A slice of a list that nobody counts."""
    return inline_serializer(
        f"{_name(serializer)}Slice",
        {
            "next": serializers.CharField(allow_null=True, help_text="address of the next slice"),
            "results": serializer(many=True),
        },
    )


def _name(serializer: type[serializers.Serializer[Any]]) -> str:
    return serializer.__name__.removesuffix("Serializer")
