"""Words of outputs that are in no catalog. Each message is marked, so that what is outside is not translated."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from seeder.domain import lock_keys
from seeder.domain.freshness.agency_freshness import AgencyFreshness, ReaderState
from seeder.domain.notifications.events import Event
from seeder.domain.notifications.texts import Notification, body_of, subject_of
from seeder.domain.refresh_requests import AllReports
from seeder.embeds.badge_layout import badge_layout
from seeder.models import CircuitBreaker, Freshness, JobStatus, Run, RunHistory
from seeder.postgres import advisory_locks
from seeder.services.queue import enqueue
from seeder.services.translation import translated
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import CompletedCommand, create_custom_manifest
from tests.pseudo_locale import page_text, words_outside

Manage = Callable[..., CompletedCommand]

# What stays English, as regular expressions: names, stored texts, and what PostgreSQL says.
ALLOWED = (
    r"manage\.py retry_run",
    r"CREATE EXTENSION \w+;",
    r"\bCommandError\b",  # by Django
    r"(Report )?reporting\.\w+",
    r"\b(demo|default|postgres)\b",
    r"\b\d{8}-\d{6}-[0-9a-f]{8}\b",  # a run
    r"\b[a-z]+(_[a-z]+)+\b",  # a command, a reason or a problem
    r"\bPostgreSQL [\d.]+",
    r"\b(kB|UTC)\b",
    r"\bdivision by zero\b",
    r"(?m)^LINE \d+: .*$",
    r"\b\d+ (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b",  # by Django
    r"\b(canned|custom|operator|seeder:)|'unknown'",
    r"\b[Ee]very report\b|\b(good|bad|above)\b",
)


@pytest.fixture
def reports(contract_tables: None) -> None:
    create_custom_manifest("reporting.good", "SELECT generate_series(1, 1204) AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.above", "SELECT n FROM reporting.good")


COMMANDS = (
    *("refresh_all --dry-run", "refresh_all --dry-run --table", "refresh_all", "refresh_all --table"),
    *("refresh_status", "refresh_status --table", "queue_status", "doctor"),
    *(
        "check_freshness --all",
        "prune_history --days 5 --dry-run",
        "recover_runs",
        "install_schema",
        "cancel_refresh r1",
    ),
    *("explain_view reporting.bad", "explain_view reporting.above --table"),
)


def test_output_of_commands_has_only_translated_words(manage: Manage, reports: None, marked_messages: None) -> None:
    left = {}
    for command in COMMANDS:
        ended = manage(*command.split(), COLUMNS="400")
        shown = ended.out + ended.err
        assert "⟦" in shown
        left[command] = words_outside(shown, ALLOWED)
    assert {command: words for command, words in left.items() if words} == {}


@pytest.fixture
def operator() -> Iterator[Client]:
    client, user = Client(), User.objects.create_superuser("operator")
    client.force_login(user)
    yield client
    user.delete()


@pytest.mark.slow
def test_pages_of_runs_have_only_translated_words(
    manage: Manage, reports: None, marked_messages: None, empty_queue: None, operator: Client
) -> None:
    for _ in range(2):
        manage("refresh_all")
    run_id = Run.objects.latest("started_at").run_id
    let_views_need_attention()
    enqueue.enqueue_refresh(AllReports(), requested_by="operator")
    run = f"monitoring/run/{run_id}/"
    pages = (
        "monitoring/",
        "monitoring/?q=none",
        run,
        f"{run}?by=view&start=0&end=0.1",
        f"{run}retry/",
        f"{run}cancel/",
    )
    left = {}
    for path in (*pages, "monitoring/refresh/?table=reporting.bad", "monitoring/run/unknown/"):
        page = operator.get(f"/admin/seeder/{path}").content.decode()
        assert "⟦" in page
        left[path] = words_outside(page_text(page), ALLOWED)
    assert {path: words for path, words in left.items() if words} == {}


@pytest.mark.parametrize("event", Event)
def test_notification_has_only_translated_words(event: Event, marked_messages: None) -> None:
    facts = {"view": "reporting.bad", "agencies": ["demo"], "reason": "division_by_zero", "succeeded": 1, "failed": 2}
    one = Notification(event=event, facts=facts, at=timezone.now())
    texts = (subject_of([one]), subject_of([one, one]), body_of([one]))
    assert words_outside("\n".join(map(translated, texts)), ALLOWED) == []


@pytest.mark.parametrize("state", [None, *ReaderState])
def test_fragment_and_badge_have_only_translated_words(state: ReaderState | None, marked_messages: None) -> None:
    as_of = timezone.now() if state is ReaderState.ON_TIME else None
    freshness = None if state is None else AgencyFreshness(state=state, data_as_of=as_of, as_of_text="02:14 UTC")
    fragment = render_to_string("seeder/embeds/frame.html", {"freshness": freshness})
    shown = badge_layout(freshness)
    text = f"{fragment.partition('<body>')[2]}\n{shown.label.text}\n{shown.value.text}"
    assert words_outside(page_text(f'<div id="content">{text}'), ALLOWED) == []


def let_views_need_attention() -> None:
    """Let one view be late, and another run for too long. The circuit breaker is open, and no worker lives."""
    long_ago = timezone.now() - timedelta(days=9)
    RunHistory.objects.filter(table_name="reporting.above").update(start_time=long_ago, finish_time=long_ago)
    JobStatus.objects.filter(table_name="reporting.above").update(start_time=long_ago)
    JobStatus.objects.filter(table_name="reporting.good").update(
        status="running", start_time=F("start_time") - timedelta(hours=1)
    )
    run_id = str(JobStatus.objects.get(pk="reporting.good").last_run_id)
    advisory_locks.lock_for_session(DEFAULT_DB_ALIAS, lock_keys.of_run(run_id))
    Freshness.objects.create(table_name="reporting.bad", target_lag=timedelta(hours=2))
    breaker = {"failures": 1, "opened_at": timezone.now(), "causes": {"reporting.bad": "disk_full"}}
    CircuitBreaker.objects.update_or_create(database_alias="default", defaults=breaker)
    Schedule.objects.create(name="seeder: every report", schedule_type="C", cron="0 2 * * *", func="x")
    Schedule.objects.update(next_run=long_ago)


def test_terminal_shows_only_translated_words(reports: None, marked_messages: None) -> None:
    _, drawn = run_on_terminal("refresh_all", "-v", "2", COLUMNS="400")
    assert "⟦: started⟧" in drawn
    assert words_outside(plain_text(drawn), ALLOWED) == []


def test_words_of_a_page_are_its_texts_and_labels() -> None:
    page = """<title>Site</title><div id="content"><p>⟦Ended⟧ late<br><img alt="a chart"><style>p {color: red}</style>
        <a href="/x" title="⟦to⟧ it">⟦run⟧ r1</a></div><p>footer"""
    assert words_outside(page_text(page), [r"\br1\b"]) == ["chart", "it", "late"]
