"""The OpenAPI schema, its page and its decorators, independent of the host's SPECTACULAR_SETTINGS."""

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Field, IntegerField, Serializer

from seeder.api.authentication_and_throttling import SeederSessionAuthentication
from seeder.api.base_view import SeederView
from seeder.api.document_serializers import ErrorSerializer
from seeder.domain.manifests import ReportType

Method = TypeVar("Method", bound=Callable[..., Any])

_SPECTACULAR_SETTINGS = {
    # All defaults, except those that `patched_settings` refuses.
    **{name: value for name, value in SPECTACULAR_DEFAULTS.items() if not name.startswith(("SERVE_", "DEFAULT_"))},
    "TITLE": "reporting-seeder",
    "DESCRIPTION": "Status of reports and their views, history of runs, release snapshots, and refreshes on request.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["seeder.api.openapi.keep_own_endpoints"],
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "defaultModelsExpandDepth": 0},
}
_settings_lock = Lock()

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


def describe_operation(
    operation_id: str, response: Any, *, request: Any = None, **schema_options: Any
) -> Callable[[Method], Method]:
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
            request=request,
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


class SchemaView(SeederView):
    @describe_operation("getSchema", dict[str, Any])
    def get(self, request: Request) -> Response:
        """Get this schema."""
        return Response(build_schema())


@method_decorator(login_required, name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The schema as a page with only own files and nothing inline.

    A strict Content-Security-Policy may forbid these. The script is served at the same URL with `?script=`.
    """

    authentication_classes = [SeederSessionAuthentication]
    permission_classes = []
    throttle_classes = []
    versioning_class = None
    metadata_class = None
    schema = None  # not part of the schema
    title = "reporting-seeder"
    template_name = "seeder/docs.html"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        match = request.resolver_match
        self.url_name = f"{match.namespace if match else ''}:schema"  # in the host's namespace
        with _settings_lock, patched_settings(_SPECTACULAR_SETTINGS):
            answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return answer


@cache
def build_schema() -> dict[str, Any]:
    """Build the schema once per process.

    It depends only on the code and the URL configuration.
    """
    with _settings_lock, patched_settings(_SPECTACULAR_SETTINGS):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def keep_own_endpoints(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Drop the host's endpoints."""
    return [endpoint for endpoint in endpoints if endpoint[3].cls.__module__.startswith(f"{__package__}.")]
