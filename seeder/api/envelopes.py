"""How lists are wrapped, for the schema."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers


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
