"""The OpenAPI schema of an app and its page, independent of the host's SPECTACULAR_SETTINGS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from threading import Lock
from typing import Any, ClassVar

from django.contrib.auth.decorators import login_required
from django.utils import translation
from django.utils.decorators import method_decorator
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from seeder.api import changed_rows_examples, check_examples, examples, explanation_examples, manifest_examples
from seeder.api.authentication_and_throttling import SeederSessionAuthentication
from seeder.api.base_view import SeederView
from seeder.api.operation_description import describe_operation, own_schema
from seeder.api.problem_details import Problem
from seeder.api.problem_examples import problem_document
from seeder.api.schema_document import OperationExample, add_examples, add_problems, share_enums, share_responses
from seeder.domain.data_checks.results import CheckOutcome, CheckSeverity
from seeder.domain.data_checks.rules import CheckKind
from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status
from seeder.domain.query_trials import ChangeKind, WarningCode
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.row_changes import RowChangeKind
from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.services.data_checks.waivers import WaiverDecision
from seeder.services.read_models.manifest_list import DriftState

Endpoint = tuple[str, str, str, Any]  # path, path with a pattern, method, callback

_settings_lock = Lock()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SchemaOptions:
    """What distinguishes the schema of an app."""

    title: str
    description: str
    hook: str  # dotted path of the function that drops the endpoints of others
    tags: Mapping[str, str] = field(default_factory=dict)  # their descriptions
    enums: Sequence[type[Enum]] = ()  # shared components, with the names of the classes
    examples: Mapping[str, OperationExample] = field(default_factory=dict)  # by operation id
    parameter_examples: Mapping[str, Any] = field(default_factory=dict)  # by name
    problems: Sequence[Problem] = ()  # examples of errors with a status that `seeder` does not have

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
            "TAGS": [{"name": name, "description": text} for name, text in self.tags.items()],
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
    tags={
        "agencies": "Agencies with the totals of their jobs, and refreshes of all their views.",
        "jobs": "Enabled manifests with the latest state of their views, and refreshes of one view.",
        "manifests": "Manifests with their queries and definition drift, their changes, and the check of a query.",
        "queue": "Queued requests and their progress.",
        "runs": "Runs with their totals, holds and history rows.",
        "snapshots": "Release snapshots: recorded shapes of views, and their differences.",
        "totals": "Totals for dashboards.",
        "views": "Why views are in their state, what a refresh now would do, their data checks, and decisions on held"
        " ones.",
        "schema": "The root and this schema.",
    },
    enums=(
        *(
            ReportType,
            Status,
            QueuedPartState,
            DifferenceKind,
            Severity,
            DriftState,
            ChangeKind,
            WarningCode,
            RowChangeKind,
        ),
        *(CheckKind, CheckOutcome, CheckSeverity, WaiverDecision),
    ),
    examples={
        **examples.OPERATIONS,
        **explanation_examples.OPERATIONS,
        **manifest_examples.OPERATIONS,
        **changed_rows_examples.OPERATIONS,
        **check_examples.OPERATIONS,
    },
    parameter_examples=examples.PARAMETERS,
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
    with translation.override("en"), _settings_lock, patched_settings(options.as_settings()), own_schema():
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    share_enums(document, options.enums)
    share_responses(document)
    add_problems(document, [problem_document(one) for one in options.problems])
    add_examples(document, options.examples, options.parameter_examples)
    return document
