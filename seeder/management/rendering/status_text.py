"""The status of views as text and tables."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from seeder.domain.as_of import as_of_text
from seeder.domain.freshness.states import FreshnessState
from seeder.domain.human_format import format_count, format_duration, time_ago_text
from seeder.domain.monitoring.report_jobs import Job, JobTotals
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.outcomes import Status
from seeder.management.rendering.command_output import Block, TableRow, TextTable, foldable
from seeder.management.rendering.run_text import and_others, first_line
from seeder.services.read_models.job_list import JobOverview
from seeder.texts import Text


def status_blocks(overview: JobOverview, open_breakers: Iterable[str] = ()) -> Iterator[Block]:
    """Yield totals, open breakers, views with their errors, and a note about views that are not shown."""
    yield str(overview.totals), _totals_style(overview.totals)
    for text in open_breakers:
        sentence = Text(
            "Nothing starts: {breaker}. Close it with `manage.py reset_breaker` when the cause is repaired.",
            breaker=text,
        )
        yield sentence, "bold red"
    has_loads = any(overview.as_of.get(job.table_name) for job in overview.page.jobs)
    has_ages = any(_data_as_of_text(job, overview) for job in overview.page.jobs)
    errors = [
        (job, text)
        for job in overview.page.jobs
        for text in (*_contract_texts(job, overview), _error_text(job, overview))
        if text
    ]
    yield TextTable(
        headings=(
            *(Text("view"), foldable(Text("report")), foldable(Text("agency")), Text("state"), Text("last success")),
            *([Text("data as of")] if has_ages else []),
            *([foldable(Text("as of"))] if has_loads else []),
        ),
        rows=[_job_row(job, overview, has_loads=has_loads, has_ages=has_ages) for job in overview.page.jobs],
        notes=[
            (Text.joined([job.table_name, error], ": "), "red" if job.failing else "yellow") for job, error in errors
        ],
    )
    shown_count, total_count = len(overview.page.jobs), overview.page.total
    if not shown_count:
        yield Text("No view matches.") if overview.totals.jobs else Text("No enabled manifest matches.")
    elif shown_count < total_count:
        yield Text("{shown:,} of {total:,} shown; --limit shows more.", shown=shown_count, total=total_count)


def _totals_style(totals: JobTotals) -> str:
    if totals.failing or totals.long_running:
        return "bold red"
    return "bold yellow" if totals.stale else "bold green"


def _job_row(job: Job, overview: JobOverview, *, has_loads: bool, has_ages: bool) -> TableRow:
    state, last_success = _state_text(job, overview), time_ago_text(job.last_success_at, overview.now)
    agency, *others = job.agencies
    agencies = and_others(agency, len(others), "agency")
    error, as_of = _error_text(job, overview), overview.as_of.get(job.table_name, ())
    facts: list[str] = [Text.joined([job.table_name, state], ": ")]
    facts += [Text("last success {age}", age=last_success)] if job.status is not None else []
    data_as_of = _data_as_of_text(job, overview)
    facts += [Text("data as of {age}", age=data_as_of)] if data_as_of else []
    facts += [Text("as of {loads}", loads=as_of_text(as_of))] if as_of else []
    facts += _contract_texts(job, overview)
    line = Text.joined([*facts, job.report_name, agencies], "; ")
    return TableRow(
        line=Text.joined([line, error], ": ") if error else line,
        cells=(
            job.table_name,
            job.report_name,
            agencies,
            (state, _job_style(job)),
            (last_success, "yellow" if job.stale else ""),
            *([data_as_of] if has_ages else []),
            *([as_of_text(as_of)] if has_loads else []),
        ),
    )


def _state_text(job: Job, overview: JobOverview) -> Text:
    """Return the state, also of a view that misses only a contract of severity `warn`."""
    state = job_state_text(job, overview.now, is_held=overview.failures[job.key].is_held)
    if str(state) == state_word(FreshnessState.FRESH) and overview.late_contracts.get(job.table_name):
        return Text("{state} (warning)", state=state_word(FreshnessState.LATE))
    return state


def _contract_texts(job: Job, overview: JobOverview) -> Sequence[Text]:
    """Return the contracts that a view misses, with the causes."""
    return [
        Text("contract {contract}: {cause}", contract=str(one.contract), cause=one.cause_text)
        for one in overview.late_contracts.get(job.table_name, ())
    ]


def _data_as_of_text(job: Job, overview: JobOverview) -> str:
    """Return the age of data that are older than the last success. Empty if they are of it, or if it is unknown."""
    age = overview.ages.get(job.table_name)
    if age is None or age.as_of is None or job.last_success_at is None or age.as_of >= job.last_success_at:
        return ""
    return time_ago_text(age.as_of, overview.now)


def _error_text(job: Job, overview: JobOverview) -> str:
    """Return the reason, which the runbook explains, and PostgreSQL's message. Of a success, the first note."""
    failure = overview.failures[job.key]
    if not job.errors:
        return first_line(failure.notes or "")
    return Text.joined(filter(None, (failure.reason, first_line(job.errors))), ": ")


def job_state_text(job: Job, now: datetime, *, is_held: bool = False) -> Text:
    """Describe the state of a view in a few words. It is held if data checks are the reason of its failure."""
    if job.status is Status.RUNNING and job.start_time is not None:
        duration, usual = format_duration(now - job.start_time), job.usual_duration
        if job.long_running and usual is not None:
            return Text("running for {duration}, usually {usual}", duration=duration, usual=format_duration(usual))
        return Text("running for {duration}", duration=duration)
    if job.status is Status.PENDING:
        return Text("pending")
    if job.failing:
        times = format_count(job.consecutive_failures, "time")
        return Text("held {times}", times=times) if is_held else Text("failed {times}", times=times)
    if job.status is None or job.start_time is None:
        return Text("never ran")
    return Text("late") if job.stale else Text("fresh")


def _job_style(job: Job) -> str:
    if job.failing or job.long_running:
        return "bold red"
    if job.stale:
        return "yellow"
    return "green" if job.status is Status.SUCCESS else ""
