"""How the views stand, as a table."""

from django.core.management.base import OutputWrapper
from rich.text import Text

from seeder.domain.monitoring.report_jobs import Job, JobTotals
from seeder.domain.outcomes import Status
from seeder.domain.view_names import one_line
from seeder.management.rendering.status import agencies, ago, headline, left_out, state, told, usually
from seeder.management.rendering.tables import console, headed
from seeder.services.reading.monitoring import Overview

_WIDE = 120  # characters, from which on report and agency get columns of their own


def print_status(out: OutputWrapper, shown: Overview, *, color: bool) -> None:
    screen = console(out, color=color)
    screen.print(Text(headline(shown.totals), style=_of_all(shown.totals)))
    wide = screen.width >= _WIDE
    if shown.page.jobs:
        table = headed("view", *(("report", "agency") if wide else ()), "state", "last success")
        for job in shown.page.jobs:
            told_of = told(job, shown) if job.errors else ""
            asked = [Text(one_line(text)) for text in (job.report_name, agencies(job))]
            table.add_row(
                _view(job, told_of, () if wide else asked),
                *(asked if wide else ()),
                Text("\n".join([state(job, shown.now), *usually(job)]), style=_style(job)),
                Text(ago(job.last_success_at, shown.now), style="yellow" if job.stale else ""),
            )
        screen.print(table)
    for line in left_out(shown):
        screen.print(Text(line))


def _view(job: Job, told_of: str, asked: list[Text] | tuple[()]) -> Text:
    """Its name, and below it what does not get a column and what somebody should know."""
    below = [Text(", ").join(asked)] if asked else []
    if told_of:
        below.append(Text(one_line(told_of), style="red" if job.failing else "yellow"))
    return Text("\n  ").join([Text(one_line(job.table_name)), *below])


def _style(job: Job) -> str:
    if job.failing or job.long_running:
        return "bold red"
    if job.stale:
        return "yellow"
    return "green" if job.status is Status.SUCCESS else ""


def _of_all(totals: JobTotals) -> str:
    if totals.failing or totals.long_running:
        return "bold red"
    return "bold yellow" if totals.stale else "bold green"
