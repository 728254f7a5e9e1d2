"""The output of plans and runs, rendered into a string."""

import io
import json
import re
from argparse import Namespace
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.core.management.base import OutputWrapper
from rich.console import Console

from seeder.domain import human_format
from seeder.domain.admission_types import Hold, HoldReason
from seeder.domain.manifests import RejectedManifest
from seeder.domain.outcomes import Failure, Outcome, RefreshResult, RunSummary
from seeder.domain.plan import RefreshPlan
from seeder.domain.refresh_requests import AgencyReports
from seeder.domain.run_events import (
    RunEnded,
    RunEvent,
    RunStarted,
    StartsHeld,
    StartsResumed,
    ViewEnded,
    ViewStarted,
)
from seeder.management.rendering.command_output import CommandOutput
from seeder.management.rendering.live_progress import LiveProgress
from seeder.management.rendering.run_display import show_run
from seeder.management.rendering.run_text import plan_blocks
from seeder.services.documents.run_documents import plan_document
from tests.acceptance.terminal_output import screen_lines
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


def command_output(out: io.StringIO, **options: object) -> CommandOutput:
    return CommandOutput(OutputWrapper(out), Namespace(**options))


def run_output(*events: RunEvent, screen: bool = False, **options: object) -> str:
    out = Screen() if screen else io.StringIO()
    with show_run(command_output(out, **options), REQUEST) as on_event:
        for event in events:
            on_event(event)
    return out.getvalue()


def plan_output(plan: RefreshPlan, *, table: bool = False) -> str:
    out = io.StringIO()
    command_output(out, table=table).show(plan_document(plan), plan_blocks(plan, REQUEST))
    return out.getvalue()


def test_lines_have_one_line_per_event() -> None:
    assert run_output(*EVENTS).splitlines() == [
        "run r1: 2 views, 8 workers",
        "demo, custom manifest 7: It has 3 parts.",
        "[1/2] reporting.arrests: refreshed, 1,204 rows, 88 kB, 1.50 s",
        '[2/2] reporting.trend: failed after 3 min 07 s: syntax_error: syntax error at or near "[selec]"',
        'failed: reporting.trend: syntax_error: syntax error at or near "[selec]"',
        "run r1: 1 succeeded, 2 failed in 4 min 00 s",
        "retry: manage.py retry_run r1",
    ]


def test_quiet_output_has_only_what_failed() -> None:
    assert run_output(*EVENTS, verbosity=0).splitlines() == [
        "demo, custom manifest 7: It has 3 parts.",
        '[2/2] reporting.trend: failed after 3 min 07 s: syntax_error: syntax error at or near "[selec]"',
        "run r1: 1 succeeded, 2 failed in 4 min 00 s",
        "retry: manage.py retry_run r1",
    ]
    succeeded = RunSummary(run_id="r1", results={ARRESTS: REFRESHED}, rejected=(), duration=timedelta(seconds=2))
    assert run_output(*EVENTS[1:3], RunEnded(summary=succeeded), verbosity=0, screen=True) == ""


def test_detailed_output_has_each_start() -> None:
    assert run_output(*EVENTS, verbosity=2).splitlines()[2] == "reporting.arrests: started"


def test_summary_names_the_slowest_views_and_what_was_left() -> None:
    views = plan(*"abcdefghi").views
    results = {
        view: replace(REFRESHED, finished_at=NOON + timedelta(seconds=number)) for number, view in enumerate(views[:7])
    }
    stopped = RunSummary(
        run_id="r1",
        results=results,
        interrupted=views[7:],
        stopped_by="cancelled by ada",
        rejected=(),
        duration=timedelta(seconds=7),
    )
    assert run_output(ViewStarted(view=views[7]), RunEnded(summary=stopped)).splitlines() == [
        "interrupted: reporting.h",
        "not started: reporting.i",
        "slowest: reporting.g 6.00 s",
        "slowest: reporting.f 5.00 s",
        "slowest: reporting.e 4.00 s",
        "run r1: stopped (cancelled by ada): 7 succeeded, 0 failed, 2 interrupted in 7.00 s",
        "retry: manage.py retry_run r1",
    ]


def test_name_with_a_line_break_stays_on_one_line() -> None:
    [view] = plan("two\nlines\x1b[31m").views
    assert run_output(ViewStarted(view=view), verbosity=2) == 'reporting."two\\nlines\\x1b[31m": started\n'
    assert r"two\nlines\x1b[31m" in plan_output(RefreshPlan(views=(view,)), table=True)


def test_hold_is_shown_again_only_if_its_reason_changes() -> None:
    busy, busier = (
        StartsHeld(database="default", hold=Hold(reason=HoldReason.SERVER_BUSY, message=f"{number} queries are active"))
        for number in (4, 5)
    )
    resumed = StartsResumed(database="default", duration=timedelta(seconds=3))
    assert run_output(busy, busier, resumed, busier).splitlines() == [
        "waiting: 4 queries are active",
        "resumed in default after 3.00 s",
        "waiting: 5 queries are active",
    ]


def test_lines_show_the_plan() -> None:
    assert plan_output(PLAN).splitlines() == [
        "refresh reporting.arrests; expected 2.00 s; for 1 manifest",
        "refresh reporting.trend; after reporting.arrests; for 1 manifest",
        "demo, custom manifest 7: It has 3 parts.",
    ]


def test_table_shows_the_plan() -> None:
    output = plan_output(PLAN, table=True)
    assert re.search(r"reporting\.arrests +refresh +2\.00 s", output)
    assert re.search(r"reporting\.trend +refresh +reporting\.arrests", output)
    assert "demo, custom manifest 7: It has 3 parts." in output


def test_final_table_has_every_view_and_full_failure_messages() -> None:
    output = run_output(*EVENTS, table=True)
    assert "started" not in output
    assert re.search(r"reporting\.arrests +Report arrests +refreshed +1,204 +88 kB +1\.50 s", output)
    assert re.search(r"reporting\.trend +Report trend +failed +3 min 07 s", output)
    assert 'reporting.trend: syntax_error: syntax error at or near "[selec]"\nLINE 2: selec\n' in output
    assert "demo, custom manifest 7: It has 3 parts." in output
    assert "1 succeeded, 2 failed in 4 min 00 s" in output


def test_live_progress_shows_running_and_finished_views() -> None:
    ticks = count(step=0.25)
    with closing(LiveProgress(command_output(Screen()).console, clock=lambda: next(ticks))) as live:
        for event in EVENTS[:2]:
            live.on_event(event)
        Console(file=(screenshot := io.StringIO()), width=100).print(live.render())
        for event in EVENTS[2:]:
            live.on_event(event)
    assert re.search(r"reporting\.arrests +\d s, last time 2 s", screenshot.getvalue())
    assert "0 of 2 done" in screenshot.getvalue()
    assert re.search(r"about \d s left", screenshot.getvalue()), "a view without history prevents no estimate"


def test_terminal_shows_each_view_as_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    output = run_output(*EVENTS, screen=True)
    assert "0 of 2 done" in output
    lines = screen_lines(output)
    assert lines[2] == "[1/2]  refreshed  reporting.arrests    1,204 rows    1.50 s"
    assert lines[3].startswith("[2/2]  failed     reporting.trend  3 min 07 s  syntax_error: syntax error at")
    assert lines[5:] == [
        'failed: reporting.trend: syntax_error: syntax error at or near "[selec]"',
        "LINE 2: selec",
        "run r1: 1 succeeded, 2 failed in 4 min 00 s",
        "retry: manage.py retry_run r1",
    ]


def test_narrow_terminal_continues_a_view_in_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "52")
    output = run_output(*EVENTS, screen=True)
    lines = screen_lines(output)
    assert lines[2:4] == ["[1/2]  refreshed  reporting.arrests    1,204 rows", "    1.50 s"]
    assert max(map(len, screen_lines(output.partition("[1/2]")[0]))) <= 52, "the progress"


def test_lines_show_progress_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 9, 11, 12])
    monkeypatch.setattr("seeder.management.rendering.command_output.monotonic", lambda: next(ticks))
    with command_output(out := io.StringIO()).show_progress("bytes") as advance:
        for records in (90, 110, 120):
            advance(records * 1024, 200 * 1024, detail=f"{records} rows")
    assert out.getvalue() == "110 kB of 200 kB, 110 rows after 11 s\n"


def test_json_document_is_written_once_at_the_end() -> None:
    assert run_output(*EVENTS[:-1], json=True) == ""
    assert run_output(*EVENTS[:-1], json=True, screen=True) == ""
    parsed = json.loads(run_output(*EVENTS, json=True))
    assert (parsed["runId"], parsed["succeeded"], parsed["failed"], parsed["dryRun"]) == ("r1", 1, 2, False)
    refreshed, failed = parsed["views"]
    assert refreshed["recordsProcessed"] == 1204
    assert refreshed["errors"] is None
    assert (failed["sqlstate"], failed["reason"]) == ("42601", "syntax_error")
    assert parsed["rejected"][0]["reason"] == "bad_name"


def test_json_lines_have_one_document_per_event() -> None:
    documents = [json.loads(line) for line in run_output(*EVENTS, json_lines=True, screen=True).splitlines()]
    names = ["run_started", "view_started", "view_ended", "view_started", "view_ended", "run_ended"]
    assert [document["event"] for document in documents] == names
    started, _, refreshed, _, failed, ended = documents
    assert [view["view"] for view in started["views"]] == ["reporting.arrests", "reporting.trend"]
    assert (refreshed["outcome"], refreshed["recordsProcessed"], failed["sqlstate"]) == ("refreshed", 1204, "42601")
    assert (ended["succeeded"], ended["failed"], "views" in ended) == (1, 2, False)


@pytest.mark.parametrize("table", [False, True])
def test_empty_selection_is_reported(*, table: bool) -> None:
    started = RunStarted(run_id="r1", plan=RefreshPlan(), workers=8)
    for output in (plan_output(RefreshPlan(), table=table), run_output(started, table=table)):
        assert "Nothing to refresh: no manifest is enabled for the agency 'demo'." in output


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
