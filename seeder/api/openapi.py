"""The OpenAPI schema and its page, independent of the host's SPECTACULAR_SETTINGS."""

from functools import cache
from threading import Lock
from typing import Any

from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.authentication_and_throttling import SeederSessionAuthentication
from seeder.api.base_view import SeederView
from seeder.api.openapi_decorators import describe_operation

VERSION = "1"
_SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "reporting-seeder",
    "DESCRIPTION": "Status of reports and their views, history of runs, release snapshots, and refreshes on request.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.0.3",
    "SCHEMA_PATH_PREFIX": "",
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "SCHEMA_PATH_PREFIX_INSERT": "",
    "SERVERS": [],
    "TAGS": [],
    "SECURITY": [],
    "APPEND_COMPONENTS": {},
    "COMPONENT_SPLIT_REQUEST": False,
    "CAMELIZE_NAMES": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["seeder.api.openapi.keep_own_endpoints"],
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "defaultModelsExpandDepth": 0},
}
_settings_lock = Lock()


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
