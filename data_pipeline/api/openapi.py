"""The OpenAPI schema of this app, its page and its root."""

from typing import Any, ClassVar

from data_pipeline.api import examples
from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_requests import RequestAction, RequestStatus
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import RejectState
from data_pipeline.services.possible_actions import ActionName
from seeder.api import openapi
from seeder.api.openapi import Endpoint, SchemaOptions, keep_endpoints_of
from seeder.api.root_endpoint import RootView

PIPELINE = SchemaOptions(
    title="data-pipeline",
    description="Loads of files and records, their rejects and corrections, and statistics of the loaded rows.",
    hook="data_pipeline.api.openapi.keep_own_endpoints",
    tags={
        "ingest": "Files and records to load. A worker of the queue loads them.",
        "loads": "Loads with their rejects, and actions on them.",
        "requests": "Queued requests and their progress.",
        "schema": "The root and this schema.",
        "score": "Rows of the view of scores by id.",
        "stats": "Pages of whitelisted views, and as of which loads they are.",
        "tables": "What tables were loaded from, and which views depend on them.",
        "upload": "Files to load, as `ingest`.",
        "views": "Which loads views contain.",
    },
    enums=(ActionName, LoadStatus, Mode, RejectState, RequestAction, RequestStatus),
    examples=examples.OPERATIONS,
    parameter_examples=examples.PARAMETERS,
    problems=examples.PROBLEMS,
)


def keep_own_endpoints(endpoints: list[Endpoint]) -> list[Endpoint]:
    return keep_endpoints_of("data_pipeline.api", endpoints)


class PipelineSchemaView(openapi.SchemaView):
    schema_options: ClassVar[Any] = PIPELINE


class PipelineDocsView(openapi.DocsView):
    schema_options: ClassVar[Any] = PIPELINE
    title = PIPELINE.title


class PipelineRootView(RootView):
    """The root, in the schema of this app."""
