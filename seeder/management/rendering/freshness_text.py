"""Freshness contracts as text and tables."""

from collections.abc import Iterator
from datetime import datetime

from seeder.domain.freshness.states import FreshnessState
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.domain.monitoring.state_words import state_word
from seeder.management.rendering.command_output import Block, TableRow, TextTable, foldable
from seeder.management.rendering.local_times import local_time_text
from seeder.services.read_models.freshness_overview import ContractStatus, FreshnessOverview
from seeder.texts import Text

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
        yield Text("There are no contracts, because the table reporting.seeder_freshness is missing or cannot be read.")
        return
    totals = Text(
        "{contracts}: {fresh:,} fresh, {due:,} due, {held:,} held, {late:,} late, {unknown:,} unknown",
        contracts=format_count(overview.total, "contract"),
        **{str(state): count for state, count in overview.counts.items()},
    )
    yield totals, "bold red" if overview.counts[FreshnessState.LATE] else "bold green"
    now = overview.now
    shown = [one for one in overview.statuses if show_fresh or one.judgement.state is not FreshnessState.FRESH]
    if shown and now is not None:
        yield TextTable(
            headings=(
                *(Text("view"), foldable(Text("contract")), Text("state")),
                *(Text("since"), Text("data as of"), foldable(Text("cause"))),
            ),
            rows=[_row(one, now) for one in shown],
        )
    for problem in overview.invalid:
        yield problem.message, "yellow"


def _row(status: ContractStatus, now: datetime) -> TableRow:
    state, deadline = status.judgement.state, status.judgement.deadline
    since = "" if deadline is None else _deadline_text(deadline, now)
    as_of = Text("unknown") if status.age.as_of is None else time_ago_text(status.age.as_of, now)
    contract, cause, word = str(status.contract), status.cause_text, state_word(state)
    is_warning = state is FreshnessState.LATE and not status.is_alarm
    shown_state = Text("{state} (warning)", state=word) if is_warning else word
    facts: list[str] = [Text.joined([status.table_name, shown_state], ": ")]
    facts += [since] if since else []
    facts += [contract, Text("data as of {age}", age=as_of)]
    facts += [cause] if cause else []
    return TableRow(
        line=Text.joined(facts, "; "),
        cells=(status.table_name, contract, (word, _STYLES[state]), since, as_of, cause),
    )


def _deadline_text(deadline: datetime, now: datetime) -> Text:
    if deadline < now:
        return Text("for {duration}", duration=format_duration(now - deadline))
    return Text("deadline {time}", time=local_time_text(deadline))
