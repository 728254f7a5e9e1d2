"""The output of plans and runs, rendered into a string."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core.management.base import OutputWrapper
from rich.console import Console

from seeder.domain import human_format
from seeder.domain.manifests import RejectedManifest
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, RunSummary
from seeder.domain.plan import RefreshPlan
from seeder.domain.refresh_requests import AgencyReports
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, ViewEnded, ViewStarted
from seeder.management.rendering import create_run_display
from seeder.management.rendering.run_event_lines import RunEventLines
from seeder.management.rendering.run_json import RunJsonDocument
from seeder.management.rendering.run_live_terminal import RunLiveTerminal
from seeder.management.rendering.run_tables import RunTables
from tests.unit.domain.plan_values import manifest, plan

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REQUEST = AgencyReports(slug="demo")
PLAN = RefreshPlan(
    views=plan("arrests", "trend", depends_on={"trend": "arrests"}, seconds={"arrests": 2}).views,
    rejected=(RejectedManifest(manifest=manifest("bad", 7), reason="bad_name", message="It has 3 parts."),),
)
ARRESTS = next(view for view in PLAN.views if not view.depends_on)
TREND = next(view for view in PLAN.views if view.depends_on)
REFRESHED = RefreshResult(
    outcome=Outcome.REFRESHED, started_at=NOON, finished_at=NOON + timedelta(seconds=1.5), rows=1204, size_bytes=90_112
)
FAILED = RefreshResult(
    outcome=Outcome.FAILED,
    started_at=NOON,
    finished_at=NOON + timedelta(minutes=3, seconds=7),
    failure=Failure(
        reason="syntax_error", message='syntax error at or near "[selec]"\nLINE 2: selec', sqlstate="42601"
    ),
)
SUMMARY = RunSummary(
    run_id="r1", results={ARRESTS: REFRESHED, TREND: FAILED}, rejected=PLAN.rejected, duration=timedelta(minutes=4)
)
EVENTS: list[RunEvent] = [
    RunStarted(run_id="r1", plan=PLAN, workers=8),
    ViewStarted(view=ARRESTS),
    ViewEnded(view=ARRESTS, result=REFRESHED),
    ViewStarted(view=TREND),
    ViewEnded(view=TREND, result=FAILED),
    RunEnded(summary=SUMMARY),
]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_have_one_line_per_event() -> None:
    out = io.StringIO()
    lines = RunEventLines(OutputWrapper(out), REQUEST)
    for event in EVENTS:
        lines.on_event(event)
    assert out.getvalue().splitlines() == [
        "run r1: 2 views, 8 workers",
        "demo, custom manifest 7: It has 3 parts.",
        "reporting.arrests: started",
        "reporting.arrests: refreshed, 1,204 rows, 88 kB, 1.50 s",
        "reporting.trend: started",
        'reporting.trend: failed after 3 min 07 s: syntax_error: syntax error at or near "[selec]"',
        "run r1: 1 succeeded, 2 failed in 4 min 00 s",
    ]


def test_name_with_a_line_break_stays_on_one_line() -> None:
    out = io.StringIO()
    [view] = plan("two\nlines\x1b[31m").views
    RunEventLines(OutputWrapper(out), REQUEST).on_event(ViewStarted(view=view))
    assert out.getvalue() == 'reporting."two\\nlines\\x1b[31m": started\n'


def test_lines_show_the_plan() -> None:
    out = io.StringIO()
    RunEventLines(OutputWrapper(out), REQUEST).show_plan(PLAN)
    assert out.getvalue().splitlines() == [
        "refresh reporting.arrests; expected 2.00 s; for 1 manifest",
        "refresh reporting.trend; after reporting.arrests; for 1 manifest",
        "demo, custom manifest 7: It has 3 parts.",
    ]


def test_final_table_has_every_view_and_full_failure_messages() -> None:
    out = io.StringIO()
    tables = RunTables(OutputWrapper(out), REQUEST)
    for event in EVENTS:
        tables.on_event(event)
    output = out.getvalue()
    assert re.search(r"reporting\.arrests +Report arrests +refreshed +1,204 +88 kB +1\.50 s", output)
    assert re.search(r"reporting\.trend +Report trend +failed +3 min 07 s", output)
    assert 'reporting.trend syntax_error: syntax error at or near "[selec]"\nLINE 2: selec\n' in output
    assert "Report bad (demo) It has 3 parts." in output
    assert "1 succeeded, 2 failed in 4 min 00 s" in output


def test_live_terminal_shows_running_and_finished_views() -> None:
    out, ticks = Screen(), count(step=0.25)
    terminal = RunLiveTerminal(OutputWrapper(out), REQUEST, clock=lambda: next(ticks))
    with terminal:
        for event in EVENTS[:2]:
            terminal.on_event(event)
        Console(file=(screenshot := io.StringIO()), width=100).print(terminal.render())
        for event in EVENTS[2:]:
            terminal.on_event(event)
    assert re.search(r"reporting\.arrests +\d\.\d\d s, last time 2\.00 s", screenshot.getvalue())
    assert "0 of 2 done" in screenshot.getvalue()
    assert "left" not in screenshot.getvalue(), "one view has no history, so there is no estimate"
    assert "1 succeeded, 2 failed in 4 min 00 s" in out.getvalue()


def test_json_document_is_written_once_at_the_end() -> None:
    out = io.StringIO()
    document = RunJsonDocument(OutputWrapper(out))
    for event in EVENTS[:-1]:
        document.on_event(event)
    assert out.getvalue() == ""
    document.on_event(EVENTS[-1])
    parsed = json.loads(out.getvalue())
    assert (parsed["runId"], parsed["succeeded"], parsed["failed"], parsed["dryRun"]) == ("r1", 1, 2, False)
    refreshed, failed = parsed["views"]
    assert refreshed["recordsProcessed"] == 1204
    assert refreshed["errors"] is None
    assert (failed["sqlstate"], failed["reason"]) == ("42601", "syntax_error")
    assert parsed["rejected"][0]["reason"] == "bad_name"


@pytest.mark.parametrize("display_class", [RunEventLines, RunTables, RunLiveTerminal])
def test_empty_selection_is_reported(display_class: type[RunEventLines | RunTables]) -> None:
    previewed, executed = io.StringIO(), io.StringIO()
    with display_class(OutputWrapper(previewed), REQUEST) as output:
        output.show_plan(RefreshPlan())
    with display_class(OutputWrapper(executed), REQUEST) as output:
        output.on_event(RunStarted(run_id="r1", plan=RefreshPlan(), workers=8))
    for out in (previewed, executed):
        assert "Nothing to refresh: no manifest is enabled for the agency 'demo'." in out.getvalue()


def test_display_depends_on_options_and_terminal() -> None:
    screen, pipe = OutputWrapper(Screen()), OutputWrapper(io.StringIO())
    assert type(create_run_display(screen, REQUEST, json=True, table=False, color=True)) is RunJsonDocument
    assert type(create_run_display(screen, REQUEST, json=False, table=False, color=True)) is RunLiveTerminal
    assert type(create_run_display(pipe, REQUEST, json=False, table=False, color=True)) is RunEventLines
    assert type(create_run_display(pipe, REQUEST, json=False, table=True, color=True)) is RunTables


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 s"), (59.994, "59.99 s"), (59.996, "1 min 00 s"), (3599.4, "59 min 59 s"), (3600, "1 h 00 min")],
)
def test_durations_are_formatted_at_their_limits(seconds: float, text: str) -> None:
    assert human_format.format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("octets", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 kB"), (5 * 2**30, "5 GB"), (3 * 2**39, "1.5 TB")]
)
def test_sizes_are_formatted_at_their_limits(octets: int, text: str) -> None:
    assert human_format.format_size(octets) == text
