"""How the views stand, as a table."""

from django.core.management.base import OutputWrapper
from rich.text import Text

from seeder.domain.monitoring.report_jobs import Job, JobTotals
from seeder.domain.outcomes import Status
from seeder.domain.view_names import one_line
from seeder.management.rendering.run_tables import create_console, create_table
from seeder.management.rendering.status_lines import (
    agencies_text,
    job_error_text,
    job_state_text,
    not_shown_lines,
    time_ago_text,
    totals_text,
    usual_duration_texts,
)
from seeder.services.read_models.job_list import JobOverview

_MIN_WIDTH_FOR_REPORT_COLUMNS = 120  # characters, from which on report and agency get columns of their own


def print_status(out: OutputWrapper, overview: JobOverview, *, color: bool) -> None:
    screen = create_console(out, color=color)
    screen.print(Text(totals_text(overview.totals), style=_totals_style(overview.totals)))
    is_wide = screen.width >= _MIN_WIDTH_FOR_REPORT_COLUMNS
    if overview.page.jobs:
        table = create_table("view", *(("report", "agency") if is_wide else ()), "state", "last success")
        for job in overview.page.jobs:
            job_error = job_error_text(job, overview) if job.errors else ""
            report_and_agencies = [Text(one_line(text)) for text in (job.report_name, agencies_text(job))]
            table.add_row(
                _view_cell(job, job_error, () if is_wide else report_and_agencies),
                *(report_and_agencies if is_wide else ()),
                Text("\n".join([job_state_text(job, overview.now), *usual_duration_texts(job)]), style=_job_style(job)),
                Text(time_ago_text(job.last_success_at, overview.now), style="yellow" if job.stale else ""),
            )
        screen.print(table)
    for line in not_shown_lines(overview):
        screen.print(Text(line))


def _view_cell(job: Job, job_error: str, report_and_agencies: list[Text] | tuple[()]) -> Text:
    """Return the view's name, with its reports, agencies and error below."""
    below = [Text(", ").join(report_and_agencies)] if report_and_agencies else []
    if job_error:
        below.append(Text(one_line(job_error), style="red" if job.failing else "yellow"))
    return Text("\n  ").join([Text(one_line(job.table_name)), *below])


def _job_style(job: Job) -> str:
    if job.failing or job.long_running:
        return "bold red"
    if job.stale:
        return "yellow"
    return "green" if job.status is Status.SUCCESS else ""


def _totals_style(totals: JobTotals) -> str:
    if totals.failing or totals.long_running:
        return "bold red"
    return "bold yellow" if totals.stale else "bold green"
