"""The root of an API: links to its lists and documents."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.base_view import SeederView
from seeder.api.operation_description import describe_operation


class RootSerializer(serializers.Serializer[Any]):
    """Links by name."""

    links = serializers.DictField(child=serializers.URLField())


class RootView(SeederView):
    @describe_operation("getRoot", RootSerializer, tags=["schema"])
    def get(self, request: Request) -> Response:
        """List the URLs of this API that need no parameter."""
        return Response({"links": {name: self.url_for(name) for name in self._names() if name != "root"}})

    def _names(self) -> Iterator[str]:
        """Yield the names of this namespace's URLs without parameters, in the order of the configuration."""
        match = self.request.resolver_match
        resolver = get_resolver()
        for namespace in match.namespaces if match else ():
            resolver = resolver.namespace_dict[namespace][1]
        for pattern in _patterns(resolver):
            if pattern.name and not pattern.pattern.converters:
                yield pattern.name


def _patterns(resolver: Any) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        yield from [one] if isinstance(one, URLPattern) else _patterns(one)
