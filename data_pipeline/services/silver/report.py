"""The outcome of a run as JSON, tables and lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from data_pipeline.domain.load_words import load_word
from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.services.silver.planning import SilverPlan, SilverRequest
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.management.rendering.command_output import Block, Styled, TableRow, TextTable, figures
from seeder.texts import Text

_STYLES = {ObjectState.WRITTEN: "green", ObjectState.FAILED: "red"}

_COUNTS: Mapping[ObjectState, Text] = {
    ObjectState.WRITTEN: Text.counted_in_context("objects", "{number:,} written", "{number:,} written", 0),
    ObjectState.SKIPPED: Text.counted_in_context("objects", "{number:,} skipped", "{number:,} skipped", 0),
    ObjectState.BUSY: Text.counted_in_context("objects", "{number:,} busy", "{number:,} busy", 0),
    ObjectState.FAILED: Text.counted_in_context("objects", "{number:,} failed", "{number:,} failed", 0),
    ObjectState.QUEUED: Text.counted_in_context("objects", "{number:,} queued", "{number:,} queued", 0),
    ObjectState.DUE: Text.counted_in_context("objects", "{number:,} due", "{number:,} due", 0),
}


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
        headings=(
            *(Text("object"), Text("outcome"), Text("dialect"), figures(Text("rows")), figures(Text("rejected"))),
            *(figures(Text("size")), figures(Text("time"))),
        ),
        rows=[_row(one) for one in outcomes],
    )
    for one in outcomes:
        if one.error is not None:
            yield one.error, "red"
        if one.rejects_uri is not None:
            yield (
                Text("The rejected records of {object} are in {file}", object=one.source_uri, file=one.rejects_uri),
                "yellow",
            )
    yield _summary(request, plan, outcomes)


def _summary(request: SilverRequest, plan: SilverPlan, outcomes: Sequence[ObjectOutcome]) -> str:
    counts = {state: sum(one.state is state for one in outcomes) for state in ObjectState}
    source = f"s3://{request.source_bucket}/{request.prefix}"
    if not (outcomes or plan.finished or plan.waiting):
        return Text("No objects at {source}", source=source)
    parts: list[Text] = [_COUNTS[state].with_number(number) for state, number in counts.items() if number]
    parts += [Text("{number:,} finished before", number=plan.finished)] if plan.finished else []
    parts += [Text("{number:,} waiting as dead letters", number=plan.waiting)] if plan.waiting else []
    summary = Text("Objects at {source}: {counts}", source=source, counts=Text.joined(parts))
    more = [Text("more objects exceed the limit")] if plan.has_more else []
    return Text.joined([summary, *more], "; ")


def _row(outcome: ObjectOutcome) -> TableRow:
    word = load_word(outcome.state)
    details = [] if outcome.rows is None else [format_count(outcome.rows, "record")]
    details += [Text("{number:,} rejected", number=outcome.rejects)] if outcome.rejects else []
    if outcome.state is ObjectState.WRITTEN:
        details.append(Text("in {duration}", duration=format_duration(outcome.duration)))
    state: Styled = (word, _STYLES.get(outcome.state, "dim"))
    return TableRow(
        line=Text.joined([outcome.source_uri, word, *([Text.joined(details)] if details else [])], ": "),
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
