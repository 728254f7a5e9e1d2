"""Rejects as plain lines and tables."""

from collections.abc import Iterator

from data_pipeline.domain.load_words import load_word
from data_pipeline.domain.rejects import RejectState, count_text
from data_pipeline.management.rendering.load_text import raw_text
from data_pipeline.management.rendering.refresh_text import dispatch_blocks
from data_pipeline.postgres.kept_rejects import KeptReject
from data_pipeline.services.reject_listing import RejectList
from data_pipeline.services.reject_replay import ReplayedRejects
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures, foldable
from seeder.texts import Text

_HEADINGS = (
    *(Text("reasons"), figures(Text("record")), figures(Text("line"))),
    *(Text("state"), foldable(Text("raw"))),
)
_MAX_RAW_SHOWN = 200  # characters
_STYLES = {RejectState.OPEN: "yellow", RejectState.REPLAYED: "green", RejectState.DISMISSED: "dim"}


def list_blocks(found: RejectList) -> Iterator[Block]:
    """Yield the numbers of rejects by state, and their table."""
    total = sum(found.counts.values())
    if not total:
        yield Text("load {load_id} has no rejects", load_id=found.load_id)
        return
    yield Text(
        "load {load_id} into {table}: {rejects} ({states})",
        load_id=found.load_id,
        table=found.table or Text("no table"),
        rejects=format_count(total, "reject"),
        states=Text.joined(count_text(state, number) for state in RejectState if (number := found.counts.get(state))),
    )
    yield TextTable(headings=_HEADINGS, rows=[_row(one) for one in found.rejects])
    if total > len(found.rejects):
        others = format_count(total - len(found.rejects), "other reject")
        yield Text("and {rejects}: use --limit or --csv", rejects=others)


def _row(reject: KeptReject) -> TableRow:
    record = reject.record
    shown = raw_text(record.raw, max_length=_MAX_RAW_SHOWN)
    state = load_word(reject.state)
    if reject.replayed_by is not None:
        state = Text("replayed by load {load_id}", load_id=reject.replayed_by)
    return TableRow(
        line=Text(
            "record {record}, line {line}, {state}: {reasons} | {raw}",
            record=record.record_no,
            line=record.line_no,
            state=state,
            reasons=record.reasons,
            raw=shown,
        ),
        cells=[
            record.reasons,
            f"{record.record_no:,}",
            f"{record.line_no:,}",
            (state, _STYLES[reject.state]),
            shown,
        ],
    )


def replay_blocks(result: ReplayedRejects) -> Iterator[Block]:
    """Yield what became of the rejects."""
    facts = {"of_load": result.of_load, "load_id": result.load_id}
    if result.is_duplicate:
        yield Text("load {of_load}: the same correction was loaded before, as load {load_id}", **facts)
    elif result.load_id is None:
        yield Text("load {of_load}: no open reject to replay", **facts)
    else:
        count = format_count(len(result.replayed), "reject")
        yield Text("load {of_load}: {rejects} replayed, as load {load_id}", rejects=count, **facts)
    for number, problems in result.refused.items():
        text = Text.joined(map(str, problems), "; ")
        yield Text("record {record} is still bad: {problems}", record=number, problems=text), "yellow"
    for number, reason in result.unusable.items():
        yield Text("record {record} was not tried: {reason}", record=number, reason=reason), "yellow"
    if result.refresh:
        yield from dispatch_blocks(result.table or "", result.refresh)
    if result.left:
        yield Text("Still open: {rejects} of the load", rejects=format_count(result.left, "other reject"))
