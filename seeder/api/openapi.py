"""The OpenAPI schema of an app and its page, independent of the host's SPECTACULAR_SETTINGS."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, ClassVar

from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api.authentication_and_throttling import SeederSessionAuthentication
from seeder.api.base_view import SeederView
from seeder.api.operation_description import describe_operation

Endpoint = tuple[str, str, str, Any]  # path, path with a pattern, method, callback

_settings_lock = Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaOptions:
    """What distinguishes the schema of an app."""

    title: str
    description: str
    hook: str  # dotted path of the function that drops the endpoints of others

    def as_settings(self) -> Mapping[str, Any]:
        """Return settings of drf-spectacular, without those that `patched_settings` refuses."""
        defaults = SPECTACULAR_DEFAULTS.items()
        return {
            **{name: value for name, value in defaults if not name.startswith(("SERVE_", "DEFAULT_"))},
            "TITLE": self.title,
            "DESCRIPTION": self.description,
            "VERSION": "1",
            "SCHEMA_PATH_PREFIX": ".*/v1",  # tags are the first part of the path after it
            "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
            "PREPROCESSING_HOOKS": [self.hook],
            "POSTPROCESSING_HOOKS": ["seeder.api.openapi.separate_by_commas"],
            "SWAGGER_UI_DIST": "SIDECAR",
            "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
            "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "defaultModelsExpandDepth": 0},
        }


def keep_endpoints_of(package: str, endpoints: list[Endpoint]) -> list[Endpoint]:
    """Return the versioned endpoints whose views are in a package."""
    return [one for one in endpoints if one[3].cls.__module__.startswith(f"{package}.") and "/v1/" in one[0]]


def keep_own_endpoints(endpoints: list[Endpoint]) -> list[Endpoint]:
    return keep_endpoints_of("seeder.api", endpoints)


def separate_by_commas(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe array parameters as `CommaSeparatedField` reads them: separated by commas, not repeated."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and parameter["schema"].get("type") == "array":
                    parameter |= {"style": "form", "explode": False}
    return result


SEEDER = SchemaOptions(
    title="reporting-seeder",
    description="Status of reports and their views, history of runs, release snapshots, and refreshes on request.",
    hook="seeder.api.openapi.keep_own_endpoints",
)


class SeederSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """Describe our session authentication, which drf-spectacular does not know."""

    target_class = "seeder.api.authentication_and_throttling.SeederSessionAuthentication"


class SchemaView(SeederView):
    schema_options: ClassVar = SEEDER

    @describe_operation("getSchema", dict[str, Any])
    def get(self, request: Request) -> Response:
        """Get this schema."""
        return Response(build_schema(self.schema_options))


@method_decorator(login_required, name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The schema as a page with only own files and nothing inline.

    A strict Content-Security-Policy may forbid these. The script is served at the same URL with `?script=`.
    """

    schema_options: ClassVar = SEEDER
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
        with _settings_lock, patched_settings(self.schema_options.as_settings()):
            answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return answer


@cache
def build_schema(options: SchemaOptions) -> dict[str, Any]:
    """Build the schema once per process.

    It depends only on the code and the URL configuration.
    """
    with _settings_lock, patched_settings(options.as_settings()):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document
