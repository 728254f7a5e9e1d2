"""JSON documents of the state of loads."""

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any

from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.services.load_overview import LoadOverview
from data_pipeline.services.request_overview import RequestOverview
from seeder.services.documents.document_fields import fields

_RENAMED = {"durationSeconds": "duration", "stuck": "is_stuck", "failing": "is_failing"}
_NAMES = [one.name for one in dataclass_fields(LoadSummary) if one.name not in {"duration_ms", *_RENAMED.values()}]


def overview_document(overview: LoadOverview) -> Mapping[str, Any]:
    return {
        "problems": sorted(overview.problems),
        "failing": overview.failing,
        "stuck": overview.stuck,
        "loads": [summary_document(load) for load in overview.loads],
        "late": [_document(asdict(table)) for table in overview.late],
        "queued": None if overview.queued is None else _queued_document(overview.queued),
    }


def _queued_document(queued: RequestOverview) -> Mapping[str, Any]:
    return {
        "unfinished": queued.unfinished,
        "failed": queued.failed,
        "requests": [_document(asdict(one)) for one in queued.requests],
    }


def summary_document(load: LoadSummary) -> Mapping[str, Any]:
    return fields(load, *_NAMES, **_RENAMED)


def _document(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        _camel_case(name): value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
