"""Runs skip views whose inputs are proved to be unchanged, and record it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from seeder.domain import skip_decision
from seeder.domain.explanation.facts import Topic
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.read_relations import ReadRelations
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.skip_decision import SkipAction
from seeder.domain.view_names import ViewName
from seeder.models import (
    ChangeSample,
    CustomReportManifest,
    JobStatus,
    QueuedRefresh,
    RunHistory,
    RunMetrics,
    SkipDecision,
)
from seeder.postgres.contract import OptionalTables
from seeder.services import change_samples, view_states
from seeder.services.queue.part_execution import run_part
from seeder.services.read_models.view_explanation import explain_view
from seeder.services.run import orchestrator, skip_proving
from seeder.services.run.skip_proving import ProofBeforeRefresh
from seeder.services.run.skipping import ViewSkipping
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def short_refreshes_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skip_decision, "MIN_DURATION", timedelta())


@pytest.fixture(autouse=True)
def views(contract_tables: None) -> None:
    """A view of a table, and one of it and another table."""
    sql("CREATE TABLE reporting.source AS SELECT i AS n FROM generate_series(1, 5) AS i")
    sql("CREATE TABLE reporting.labels AS SELECT i AS n, 'label ' || i AS label FROM generate_series(1, 5) AS i")
    create_custom_manifest("reporting.a", "SELECT n, n % 2 AS odd FROM reporting.source")
    refresh_all()
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    create_custom_manifest(
        "reporting.b", "SELECT label, count(*) AS n FROM reporting.a JOIN reporting.labels USING (n) GROUP BY 1"
    )


def refresh_all(*, force: bool = False) -> dict[str, RefreshResult]:
    """Refresh everything, with statistics that are up to date."""
    sql("SELECT pg_stat_force_next_flush()")
    summary = orchestrator.execute_run(AllReports(), force=force)
    assert summary.failed == 0
    return {view.key.name.name: result for view, result in summary.results.items()}


def outcomes(results: dict[str, RefreshResult]) -> dict[str, Outcome]:
    return {name: result.outcome for name, result in sorted(results.items())}


SKIPPED, REFRESHED = {"a": Outcome.SKIPPED, "b": Outcome.SKIPPED}, {"a": Outcome.REFRESHED, "b": Outcome.REFRESHED}


def refresh_until_skipped() -> dict[str, RefreshResult]:
    """Refresh until both views are skipped: created, recorded, proved."""
    for _ in range(5):
        results = refresh_all()
        if outcomes(results) == SKIPPED:
            return results
    raise AssertionError([result.skip_reason for result in results.values()])


def test_unchanged_views_are_skipped_with_their_proof() -> None:
    results = refresh_until_skipped()
    rows = {
        row.table_name: row
        for row in RunHistory.objects.filter(run_id__in=RunHistory.objects.order_by("-id").values("run_id")[:1])
    }
    assert {name: row.status for name, row in rows.items()} == {"reporting.a": "success", "reporting.b": "success"}
    for name, result in results.items():
        row = rows[f"reporting.{name}"]
        decision = SkipDecision.objects.get(history=row)
        assert (row.records_processed, row.start_time) == (5, result.started_at)
        assert decision.is_skipped
        metrics = RunMetrics.objects.get(history=row)
        assert (row.duration_seconds, metrics.reason, metrics.mode) == (None, "skipped", None)
        assert metrics.snapshot is not None, "it contains all earlier loads"
        assert decision.proof is not None
        assert decision.proof["confirmed"] == result.started_at.isoformat()
        assert "reporting." in decision.reason
        key = ViewKey(database="default", name=ViewName(schema="reporting", name=name))
        age = view_states.data_ages([key], OptionalTables.read("default"))[key]
        assert age.as_of is not None
        assert age.as_of >= decision.refreshed_at
    assert results["a"].data is not None
    assert results["a"].data.age.as_of == results["a"].started_at


def test_command_shows_skips_and_refreshes_by_force(manage: Callable[..., CompletedCommand]) -> None:
    refresh_until_skipped()
    assert "for 1 manifest. Skipped if its inputs are proved to be unchanged." in manage("refresh_all", "--dry-run").out
    done = manage("refresh_all")
    assert "reporting.a: skipped, 5 rows" in done.out
    assert "s. Skipped: a refresh would publish the rows of " in done.out
    assert "2 succeeded (2 of them skipped), 0 failed" in done.lines[-1]
    document = manage("refresh_all", "--json", "--force").document
    assert ([view["outcome"] for view in document["views"]], document["skipped"]) == (["refreshed"] * 2, 0)


def test_proved_and_skipped_refreshes_answer_requests_for_samples() -> None:
    sql("DELETE FROM reporting.source WHERE n = 5")
    for _ in range(5):
        view = SingleView(name=ViewName(schema="reporting", name="a"), max_changed_rows=1)
        change_samples.request_samples(view, requested_by="ada")
        last = refresh_all()["a"]
    assert last.outcome is Outcome.SKIPPED
    stored = ChangeSample.objects.order_by("id").values_list("rows_inserted", "rows_deleted", "rows_updated", "note")
    assert list(stored) == [(0, 1, 0, None), *[(0, 0, 0, None)] * 4]


def test_skipped_view_is_explained() -> None:
    refresh_until_skipped()
    explanation = explain_view("reporting.a")
    texts = [one.text for one in (*explanation.decisions, *explanation.expectations) if one.topic is Topic.SKIP]
    assert len(texts) == 2
    assert texts[0].startswith("Skipped: a refresh would publish the rows of ")
    assert texts[1] == "Skipped if its inputs are proved to be unchanged."
    last = explanation.story.last
    assert last is not None
    assert last.skip_reason == texts[0]
    [(refresh_seconds,)] = SkipDecision.objects.filter(history__run_id=last.run_id, view_name="a").values_list(
        "refresh_seconds"
    )
    usual = explanation.story.facts.usual_duration
    assert usual is not None
    assert usual.total_seconds() == pytest.approx(refresh_seconds)


def test_changed_table_refreshes_what_reads_it() -> None:
    refresh_until_skipped()
    sql("UPDATE reporting.labels SET label = 'x' WHERE n = 1")
    results = refresh_all()
    assert outcomes(results) == {"a": Outcome.SKIPPED, "b": Outcome.REFRESHED}
    assert sql("SELECT count(*) FROM reporting.b WHERE label = 'x'") == [(1,)]


def test_change_that_the_statistics_miss_is_found() -> None:
    refresh_until_skipped()
    sql("SET track_counts = off; UPDATE reporting.source SET n = 9 WHERE n = 1; RESET track_counts")
    results = refresh_all()
    assert outcomes(results) == REFRESHED
    assert results["a"].skip_reason == "Not skipped: reporting.source changed."
    assert sql("SELECT max(n) FROM reporting.a") == [(9,)]


def test_force_refreshes_and_the_next_run_skips_again() -> None:
    refresh_until_skipped()
    assert outcomes(refresh_all(force=True)) == REFRESHED
    assert outcomes(refresh_until_skipped()) == SKIPPED


@pytest.mark.usefixtures("empty_queue")
@pytest.mark.parametrize("force", [False, True])
def test_queued_request_skips_unless_it_is_forced(force: bool, manage: Callable[..., CompletedCommand]) -> None:  # noqa: FBT001
    refresh_until_skipped()
    manage("refresh_all", "--queue", *(["--force"] if force else []))
    result = run_part(QueuedRefresh.objects.get().pk)
    skips = SkipDecision.objects.filter(history__run_id=result.run_id).values_list("is_skipped", flat=True)
    assert (result.succeeded, [*skips]) == (2, [] if force else [True, True])


@pytest.mark.parametrize("change", [{"SKIP_UNCHANGED": False}, {"NEVER_SKIP": "reporting.a, reporting.b"}])
def test_skipping_is_switched_off(settings: Settings, change: dict[str, object]) -> None:
    refresh_until_skipped()
    settings.SEEDER = {**getattr(settings, "SEEDER", {}), **change}
    assert outcomes(refresh_all()) == REFRESHED


def test_old_refresh_is_repeated_with_a_new_proof() -> None:
    refresh_until_skipped()
    sql("UPDATE reporting.seeder_skip_decision SET refreshed_at = refreshed_at - interval '7 days'")
    assert outcomes(refresh_all()) == REFRESHED
    assert outcomes(refresh_all()) == SKIPPED


def test_view_refreshed_by_others_is_refreshed() -> None:
    refresh_until_skipped()
    sql("REFRESH MATERIALIZED VIEW reporting.b")
    results = refresh_all()
    assert outcomes(results) == {"a": Outcome.SKIPPED, "b": Outcome.REFRESHED}


def test_view_refreshed_after_its_verification_is_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    refresh_until_skipped()
    verify, verified = ViewSkipping.verify, list[ViewSkipping]()

    def verify_and_refresh(skipping: ViewSkipping) -> None:
        verify(skipping)
        verified.append(skipping)
        if len(verified) == 2:  # the first is a, which b reads
            sql("REFRESH MATERIALIZED VIEW reporting.b")

    monkeypatch.setattr(ViewSkipping, "verify", verify_and_refresh)
    assert outcomes(refresh_all())["b"] is Outcome.REFRESHED


def test_status_that_another_run_changed_during_a_proof_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of the proof cannot update it, because of its snapshot. So it is written after the commit."""
    refresh_all()
    refresh_all()
    before_refresh = skip_proving.before_refresh

    def queue_and_observe(database: str, view: ViewName, locked: ReadRelations) -> ProofBeforeRefresh | None:
        with another_session() as session:
            session.execute("UPDATE reporting.seeder_job_status SET last_run_id = 'queued', status = 'pending'")
        return before_refresh(database, view, locked)

    monkeypatch.setattr(skip_proving, "before_refresh", queue_and_observe)
    results = refresh_all()
    assert results["b"].proof is not None
    assert not RunHistory.objects.exclude(status="success").exists()
    assert JobStatus.objects.get(table_name="reporting.b").status == "success"


def test_view_of_another_database_is_skipped(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA IF NOT EXISTS reporting", using="archive")
    sql("CREATE TABLE reporting.old AS SELECT generate_series(1, 3) AS n", using="archive")
    sql("SELECT pg_stat_force_next_flush()", using="archive")
    create_custom_manifest("reporting.c", "SELECT n FROM reporting.old")
    CustomReportManifest.objects.filter(table_name="reporting.c").update(database_id=2)
    results = [refresh_all()["c"] for _ in range(4)]
    assert [result.outcome for result in results] == [
        Outcome.CREATED,
        Outcome.REFRESHED,
        Outcome.REFRESHED,
        Outcome.SKIPPED,
    ]
    key = ViewKey(database="archive", name=ViewName(schema="reporting", name="c"))
    assert view_states.data_ages([key], OptionalTables.read("default"))[key].as_of == results[-1].started_at
    sql("SET track_counts = off; DELETE FROM reporting.old WHERE n = 1; RESET track_counts", using="archive")
    assert refresh_all()["c"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.c", using="archive") == [(2,)]


def test_query_that_is_not_closed_is_never_skipped() -> None:
    create_custom_manifest("reporting.c", "SELECT now() AS now")
    for _ in range(4):
        refresh_all()
    plan = orchestrator.preview(AllReports())
    [reason] = [view.skip_plan.reason for view in plan.views if view.skip_plan and view.key.name.name == "c"]
    assert reason.startswith("Cannot be skipped, because it calls now()")
    assert {view.key.name.name: view.skip_plan and view.skip_plan.action for view in plan.views}[
        "a"
    ] is SkipAction.VERIFY


def test_missing_table_refreshes_everything() -> None:
    sql("DROP TABLE reporting.seeder_skip_decision")
    for _ in range(4):
        results = refresh_all()
    assert outcomes(results) == REFRESHED
