"""The outcome of a run as JSON, tables and lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.services.silver.planning import SilverPlan, SilverRequest
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.management.rendering.command_output import Block, Styled, TableRow, TextTable

_STYLES = {ObjectState.WRITTEN: "green", ObjectState.FAILED: "red"}


def run_document(request: SilverRequest, plan: SilverPlan, outcomes: Sequence[ObjectOutcome]) -> Mapping[str, Any]:
    """Return the document of a run."""
    return {
        "sourceBucket": request.source_bucket,
        "destinationBucket": request.destination_bucket,
        "prefix": request.prefix,
        "finished": plan.finished,
        "waiting": plan.waiting,
        "hasMore": plan.has_more,
        "objects": [_object_document(one) for one in outcomes],
    }


def run_blocks(request: SilverRequest, plan: SilverPlan, outcomes: Sequence[ObjectOutcome]) -> Iterator[Block]:
    """Yield the objects, errors and figures of a run.

    The objects are a table, and the figures one line.
    """
    yield TextTable(
        headings=("object", "outcome", "dialect", "rows>", "rejected>", "size>", "time>"),
        rows=[_row(one) for one in outcomes],
    )
    for one in outcomes:
        if one.error is not None:
            yield one.error, "red"
        if one.rejects_uri is not None:
            yield f"The rejected records of {one.source_uri} are in {one.rejects_uri}", "yellow"
    yield _summary(request, plan, outcomes)


def _summary(request: SilverRequest, plan: SilverPlan, outcomes: Sequence[ObjectOutcome]) -> str:
    counts = {state: sum(one.state is state for one in outcomes) for state in ObjectState}
    source = f"s3://{request.source_bucket}/{request.prefix}"
    if not (outcomes or plan.finished or plan.waiting):
        return f"No objects at {source}"
    parts = [f"{number:,} {state.value}" for state, number in counts.items() if number]
    parts += [f"{plan.finished:,} finished before"] if plan.finished else []
    parts += [f"{plan.waiting:,} waiting as dead letters"] if plan.waiting else []
    more = "; more objects exceed the limit" if plan.has_more else ""
    return f"Objects at {source}: {', '.join(parts)}{more}"


def _row(outcome: ObjectOutcome) -> TableRow:
    rows, rejects = (
        None if outcome.rows is None else format_count(outcome.rows, "record"),
        f"{outcome.rejects:,} rejected" if outcome.rejects else None,
    )
    details = ", ".join(filter(None, [rows, rejects]))
    time = f", in {format_duration(outcome.duration)}" if outcome.state is ObjectState.WRITTEN else ""
    state: Styled = (outcome.state.value, _STYLES.get(outcome.state, "dim"))
    return TableRow(
        line=f"{outcome.source_uri}: {outcome.state.value}{': ' if details else ''}{details}{time}",
        cells=[
            outcome.source_uri.partition("://")[2].partition("/")[2],
            state,
            outcome.dialect or "",
            "" if outcome.rows is None else f"{outcome.rows:,}",
            "" if outcome.rejects is None else f"{outcome.rejects:,}",
            format_size(outcome.size_bytes),
            format_duration(outcome.duration) if outcome.duration else "",
        ],
    )


def _object_document(outcome: ObjectOutcome) -> Mapping[str, Any]:
    return {
        "sourceUri": outcome.source_uri,
        "outcome": outcome.state.value,
        "silverUri": outcome.silver_uri,
        "rejectsUri": outcome.rejects_uri,
        "dialect": outcome.dialect,
        "rows": outcome.rows,
        "rejects": outcome.rejects,
        "sizeBytes": outcome.size_bytes,
        "durationSeconds": round(outcome.duration.total_seconds(), 6),
        "loadId": outcome.load_id,
        "requestId": outcome.request_id,
        "error": outcome.error,
    }
