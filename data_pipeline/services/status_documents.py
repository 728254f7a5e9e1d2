"""JSON documents of the state of loads."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from data_pipeline.services.load_status import LoadOverview


def overview_document(overview: LoadOverview) -> Mapping[str, Any]:
    return {
        "problems": sorted(overview.problems),
        "loads": [_document(asdict(load)) for load in overview.loads],
        "late": [_document(asdict(table)) for table in overview.late],
    }


def _document(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        _camel_case(name): value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
