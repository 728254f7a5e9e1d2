"""What all addresses have in common. Nothing of it depends on what the host wants of its own REST views."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db import transaction
from django.urls import reverse
from django.views.decorators.cache import never_cache
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from seeder.api.access_control import HasRequiredPermission, WriteThrottle, authenticators
from seeder.api.exception_handler import handle_exception
from seeder.api.json_only import JSONOnlyNegotiation, LimitedJSONParser
from seeder.domain.view_names import is_storable_text
from seeder.services.read_models import agency_scope, error_redaction


class SeederView(APIView):
    """One address. `needs` says which permission each method takes; a method that it does not name takes a login."""

    permission_classes = [HasRequiredPermission]
    renderer_classes = [JSONRenderer]
    parser_classes = [LimitedJSONParser]
    throttle_classes = [WriteThrottle]
    content_negotiation_class = JSONOnlyNegotiation
    versioning_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]  # what OPTIONS would tell is in the schema
    schema = AutoSchema()
    required_permissions: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        # What is asked for has to be committed before the queue is told of it, also where the host wants a
        # transaction around each request. And what somebody was answered is nobody else's, nor true for long.
        return transaction.non_atomic_requests(never_cache(super().as_view(**initkwargs)))

    def get_authenticators(self) -> Sequence[BaseAuthentication]:  # type: ignore[override]  # any sequence will do
        return authenticators()

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return handle_exception

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not all(is_storable_text(part) for part in kwargs.values() if isinstance(part, str)):
            raise NotFound

    @cached_property
    def visible_agencies(self) -> list[str] | None:
        """Those that who asks may see; None: all. Raises `ConfigurationError`."""
        return agency_scope.agencies_of(self.request.user)

    @cached_property
    def can_see_errors(self) -> bool:
        return bool(self.request.user.has_perm(error_redaction.PERMISSION))

    def url_for(self, name: str, **reverse_options: Any) -> str:
        """Of something of ours, wherever the host has mounted it."""
        match = self.request.resolver_match
        return self.request.build_absolute_uri(reverse(f"{match.namespace if match else ''}:{name}", **reverse_options))

    def validated_query(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """What the parameters of the address say, in our words. Raises `ValidationError`."""
        if repeated := [name for name, values in self.request.query_params.lists() if len(values) > 1]:
            raise ValidationError({name: ["It stands there more than once."] for name in repeated})
        serializer = serializer_class(data=self.request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class NotFoundView(SeederView):
    """Whatever else is asked for: it is refused as everything is, and nobody else's page is shown."""

    schema = None  # type: ignore[assignment]  # the framework's word for an address that is not described

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound
