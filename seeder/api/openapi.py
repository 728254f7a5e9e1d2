"""The schema of this API and the page that shows it, the same whatever the host wants of its own."""

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

from seeder.api.access_control import SeederSessionAuthentication
from seeder.api.base_view import SeederView
from seeder.api.openapi_decorators import describe_operation

VERSION = "1"
_SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "reporting-seeder",
    "DESCRIPTION": "What is fresh, what failed and why; and how to have it refreshed.",
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
    "POSTPROCESSING_HOOKS": ["seeder.api.openapi.add_error_responses"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "defaultModelsExpandDepth": 0},
}
_settings_lock = Lock()
_ERROR_RESPONSES = {
    "400": "What was asked cannot be read; `fields` says which parameter or field is wrong.",
    "401": "Nobody is logged in.",
    "403": "Who is logged in may not do this.",
    "404": "There is no such thing, or it is another agency's.",
    "503": "The database or the settings do not let it be answered.",
}
_WRITE_ERROR_RESPONSES = {
    "409": "It collides with something that is there already.",
    "415": "The body is no JSON.",
    "429": "Too many calls that start something; `Retry-After` says in how many seconds to try again.",
}
_ERROR_SCHEMA = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
    "required": ["detail"],
}


class SchemaView(SeederView):
    @describe_operation("getSchema", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:  # noqa: ARG002  # it is the same for everybody
        """This schema."""
        return Response(build_schema())


@method_decorator(login_required, name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The schema for people, without anything from elsewhere, nor any script or style in the page itself: a strict
    Content-Security-Policy may forbid both. The script has the same address with `?script=`."""

    authentication_classes = [SeederSessionAuthentication]
    permission_classes = []
    throttle_classes = []
    versioning_class = None
    metadata_class = None
    schema = None  # a page is no part of it
    title = "reporting-seeder"
    template_name = "seeder/docs.html"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        match = request.resolver_match
        self.url_name = f"{match.namespace if match else ''}:schema"  # of where the host has mounted this page
        with _settings_lock, patched_settings(_SPECTACULAR_SETTINGS):
            answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return answer


@cache
def build_schema() -> dict[str, Any]:
    """The same for as long as the process lives: it hangs on nothing but the code and where the host has mounted it."""
    with _settings_lock, patched_settings(_SPECTACULAR_SETTINGS):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def keep_own_endpoints(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Of all that the host answers to, what is answered here."""
    return [endpoint for endpoint in endpoints if endpoint[3].cls.__module__.startswith(f"{__package__}.")]


def add_error_responses(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What every address can refuse, said once."""
    result["components"].setdefault("schemas", {})["Refusal"] = _ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    for methods in result["paths"].values():
        for method, operation in methods.items():
            descriptions = _ERROR_RESPONSES | (_WRITE_ERROR_RESPONSES if method == "post" else {})
            responses = {code: {"description": text, "content": content} for code, text in descriptions.items()}
            operation["responses"] = {**operation["responses"], **responses}
    return result
