"""Rejects as plain lines and tables."""

from collections.abc import Iterator

from data_pipeline.domain.rejects import RejectState
from data_pipeline.management.rendering.load_text import raw_text
from data_pipeline.management.rendering.refresh_text import dispatch_blocks
from data_pipeline.postgres.kept_rejects import KeptReject
from data_pipeline.services.reject_listing import RejectList
from data_pipeline.services.reject_replay import ReplayedRejects
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_HEADINGS = ("reasons", "record>", "line>", "state", "raw+")
_MAX_RAW_SHOWN = 200  # characters
_STYLES = {RejectState.OPEN: "yellow", RejectState.REPLAYED: "green", RejectState.DISMISSED: "dim"}


def list_blocks(found: RejectList) -> Iterator[Block]:
    """Yield the numbers of rejects by state, and their table."""
    total = sum(found.counts.values())
    if not total:
        yield f"load {found.load_id} has no rejects"
        return
    states = ", ".join(f"{found.counts[state]:,} {state}" for state in RejectState if found.counts.get(state))
    yield f"load {found.load_id} into {found.table or 'no table'}: {format_count(total, 'reject')} ({states})"
    yield TextTable(headings=_HEADINGS, rows=[_row(one) for one in found.rejects])
    if total > len(found.rejects):
        yield f"and {format_count(total - len(found.rejects), 'other reject')}: use --limit or --csv"


def _row(reject: KeptReject) -> TableRow:
    record = reject.record
    shown = raw_text(record.raw, max_length=_MAX_RAW_SHOWN)
    state = reject.state.value if reject.replayed_by is None else f"{reject.state} by load {reject.replayed_by}"
    return TableRow(
        line=f"record {record.record_no}, line {record.line_no}, {state}: {record.reasons} | {shown}",
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
    if result.is_duplicate:
        yield f"load {result.of_load}: the same correction was loaded before, as load {result.load_id}"
    elif result.load_id is None:
        yield f"load {result.of_load}: no open reject to replay"
    else:
        count = format_count(len(result.replayed), "reject")
        yield f"load {result.of_load}: {count} replayed, as load {result.load_id}"
    for number, problems in result.refused.items():
        yield f"record {number} is still bad: {'; '.join(map(str, problems))}", "yellow"
    for number, reason in result.unusable.items():
        yield f"record {number} was not tried: {reason}", "yellow"
    if result.refresh:
        yield from dispatch_blocks(result.table or "", result.refresh)
    if result.left:
        yield f"{format_count(result.left, 'other reject')} of the load {'is' if result.left == 1 else 'are'} open"
