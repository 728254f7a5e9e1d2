"""The public base class of API views.

It does not depend on the host's REST_FRAMEWORK settings.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, ClassVar

from django.apps import apps
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext
from drf_spectacular.openapi import AutoSchema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ListField, Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from seeder.api.authentication_and_throttling import (
    HasRequiredPermission,
    SeederSessionAuthentication,
    SeederTokenAuthentication,
    WriteThrottle,
)
from seeder.api.exception_handler import ErrorStatuses, handle_exception
from seeder.api.input_serializers import unknown_parameter_text
from seeder.api.problem_details import MAX_BODY_BYTES, BodyTooLarge, Problem
from seeder.api.response_headers import (
    DOCUMENT_LANGUAGE,
    REQUEST_ID,
    add_rate_limits,
    answer_conditionally,
    request_id_of,
)
from seeder.services.storable_text import is_storable
from seeder.services.structured_log import ERROR, log_event
from seeder.services.translation import translated
from seeder.texts import Text

_RETRY_AFTER = "2"  # seconds, after which queued work may have begun


class LimitedJSONParser(JSONParser):
    """A JSON parser that rejects large bodies and deep nesting."""

    def parse(self, stream: Any, *args: Any, **options: Any) -> dict[str, Any]:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        try:
            return super().parse(BytesIO(body), *args, **options)
        except RecursionError as error:
            raise ParseError(gettext("The body is nested too deeply.")) from error


class SeederView(APIView):
    """Base class of JSON views: login required, writes throttled, errors as problem details.

    Public: other apps may subclass it. Subclasses set `required_permissions` (a permission per method; a method without
    one requires only a login) and `error_statuses` (the HTTP status of their own `SeederError` classes).
    Every response has the request's id. A successful GET has an entity tag, and an unchanged document answers 304.
    """

    permission_classes = [HasRequiredPermission]
    renderer_classes = [JSONRenderer]
    parser_classes = [LimitedJSONParser]
    throttle_classes = [WriteThrottle]
    versioning_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]  # no OPTIONS: the schema describes the API
    schema = AutoSchema()
    required_permissions: ClassVar[Mapping[str, str]] = {}
    error_statuses: ClassVar[ErrorStatuses] = ()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        # A queued request must be committed before its message is dispatched, even with ATOMIC_REQUESTS.
        return transaction.non_atomic_requests(super().as_view(**initkwargs))

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        initialized = super().initialize_request(request, *args, **kwargs)
        self.request_id = request_id_of(initialized)
        self.throttles: list[BaseThrottle] = []
        return initialized

    def get_authenticators(self) -> Sequence[BaseAuthentication]:  # type: ignore[override]  # any sequence will do
        """Accept a session, and a token if the host has `rest_framework.authtoken`."""
        token_authenticators = [SeederTokenAuthentication()] if apps.is_installed("rest_framework.authtoken") else []
        return [*token_authenticators, SeederSessionAuthentication()]

    def get_throttles(self) -> list[BaseThrottle]:
        self.throttles = super().get_throttles()
        return self.throttles

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002
        """Answer in JSON, regardless of the Accept header."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return handle_exception

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not all(is_storable(part) for part in kwargs.values() if isinstance(part, str)):
            raise NotFound
        handler = getattr(self, (request.method or "").lower(), None)
        if request.query_params and not getattr(handler, "takes_query", True):
            raise ValidationError({name: [unknown_parameter_text([])] for name in request.query_params})
        if request.method not in SAFE_METHODS and not getattr(handler, "takes_body", True) and request.data:
            raise ValidationError(gettext("The operation takes no body."))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        finalized[REQUEST_ID] = self.request_id
        add_rate_limits(finalized, self.throttles)
        if (
            request.method in ("GET", "HEAD")
            and finalized.status_code == status.HTTP_200_OK
            and not finalized.streaming
        ):
            answer_conditionally(request, finalized)
        else:
            add_never_cache_headers(finalized)
            if finalized.status_code < status.HTTP_400_BAD_REQUEST:
                finalized["Content-Language"] = DOCUMENT_LANGUAGE
        return finalized

    def problem_occurred(self, problem: Problem) -> None:
        """Log an error of the server. Its answer does not tell the cause."""
        if status.is_server_error(problem.status):
            match = self.request.resolver_match
            route = match.route if match else None
            log_event(ERROR, "api_problem", request=self.request_id, route=route, code=problem.code)

    def accepted(self, document: Mapping[str, Any], url: str | None) -> Response:
        """Return 202 with the URL that has the state of the queued work, if any."""
        headers = {"Location": url, "Retry-After": _RETRY_AFTER} if url else {}
        return Response({**document, "url": url}, status=status.HTTP_202_ACCEPTED, headers=headers)

    def url_for(self, name: str, **reverse_options: Any) -> str:
        """Return the absolute URL of an endpoint in this request's namespace."""
        match = self.request.resolver_match
        return self.request.build_absolute_uri(reverse(f"{match.namespace if match else ''}:{name}", **reverse_options))

    def validated_query(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the validated query parameters. Raises `ValidationError`.

        Only lists can be repeated: some clients send `status=error&status=running` for `status=error,running`. The
        serializer refuses unknown parameters, or takes them as lists, too.
        """
        given = dict(self.request.query_params.lists())
        singles = {name for name, field in serializer_class().fields.items() if not isinstance(field, ListField)}
        if repeated := [name for name, values in given.items() if len(values) > 1 and name in singles]:
            raise ValidationError({name: [gettext("Given more than once.")] for name in repeated})
        serializer = serializer_class(data={name: ",".join(values) for name, values in given.items()})
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def validated_body(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the validated body. Raises `ValidationError`."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class NotFoundView(SeederView):
    """Answer unknown paths with JSON instead of the host's error page."""

    schema = None  # type: ignore[assignment]  # excludes the view from the schema

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound


class MissingSlashView(SeederView):
    """Redirect a GET to the path with a slash, and refuse other methods.

    Django's middleware would redirect them, too, and clients then drop the body; with DEBUG it raises an error.
    """

    schema = None  # type: ignore[assignment]  # excludes the view from the schema

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            text = Text("There is no such address. Every address ends with a slash: {path}", path=f"{request.path}/")
            raise NotFound(translated(text))

    def get(self, request: Request) -> Response:
        url = escape_leading_slashes(request.get_full_path(force_append_slash=True))
        return Response(status=status.HTTP_301_MOVED_PERMANENTLY, headers={"Location": url})
