"""Freshness contracts as text and tables."""

from collections.abc import Iterator
from datetime import datetime

from seeder.domain.freshness.states import FreshnessState
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.management.rendering.command_output import Block, TableRow, TextTable
from seeder.management.rendering.local_times import local_time_text
from seeder.services.read_models.freshness_overview import ContractStatus, FreshnessOverview

_STYLES = {
    FreshnessState.FRESH: "green",
    FreshnessState.DUE: "yellow",
    FreshnessState.HELD: "yellow",
    FreshnessState.LATE: "bold red",
    FreshnessState.UNKNOWN: "yellow",
}


def freshness_blocks(overview: FreshnessOverview, *, show_fresh: bool) -> Iterator[Block]:
    """Yield the totals, the contracts, and those that cannot be read."""
    if not overview.is_available:
        yield "There are no contracts, because the table reporting.seeder_freshness is missing or cannot be read."
        return
    counts = ", ".join(f"{count:,} {state}" for state, count in overview.counts.items())
    style = "bold red" if overview.counts[FreshnessState.LATE] else "bold green"
    yield f"{format_count(len(overview.statuses), 'contract')}: {counts}", style
    now = overview.now
    shown = [one for one in overview.statuses if show_fresh or one.judgement.state is not FreshnessState.FRESH]
    if shown and now is not None:
        yield TextTable(
            headings=("view", "contract+", "state", "since", "data as of", "cause+"),
            rows=[_row(one, now) for one in shown],
        )
    for problem in overview.invalid:
        yield problem.message, "yellow"


def _row(status: ContractStatus, now: datetime) -> TableRow:
    state, deadline = status.judgement.state, status.judgement.deadline
    since = "" if deadline is None else _deadline_text(deadline, now)
    as_of = "unknown" if status.age.as_of is None else time_ago_text(status.age.as_of, now)
    cause = status.cause_text
    is_warning = state is FreshnessState.LATE and not status.is_alarm
    facts = [f"{status.table_name}: {state}" + (" (warning)" if is_warning else "")]
    facts += [since] if since else []
    facts += [f"{status.contract}", f"data as of {as_of}"]
    facts += [cause] if cause else []
    return TableRow(
        line="; ".join(facts),
        cells=(status.table_name, str(status.contract), (state, _STYLES[state]), since, as_of, cause),
    )


def _deadline_text(deadline: datetime, now: datetime) -> str:
    if deadline < now:
        return f"for {format_duration(now - deadline)}"
    return f"deadline {local_time_text(deadline)}"
