"""What the schema is told of an address, and how lists are wrapped."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

Method = TypeVar("Method", bound=Callable[..., Any])


def described(**how: Any) -> Callable[[Method], Method]:
    """As `extend_schema`, which would start from whatever the host describes its own views with."""

    def describe(method: Method) -> Method:
        method.kwargs = {"schema": AutoSchema}  # type: ignore[attr-defined]  # where it looks
        return extend_schema(**how)(method)

    return describe


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
