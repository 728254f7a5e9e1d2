"""Enqueueing a refresh: partitions, joined requests and idempotency keys."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django_q.models import OrmQ
from pytest_django import Settings

from seeder.domain import lock_keys
from seeder.domain.manifests import ReportType, Selection
from seeder.domain.plan import RefreshPlan
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.domain.refresh_requests import AgencyReports, AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import BadIdempotencyKey, IdempotencyKeyTaken, QueueMissing, UnknownAgency
from seeder.models import QueuedRefresh
from seeder.services.queue import part_rows, queue_overview
from seeder.services.queue.enqueue import EnqueueResult, enqueue_refresh
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import planning
from tests.blocked_calls import blocked_call
from tests.conftest import another_session, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def single_view(name: str) -> SingleView:
    return SingleView(name=ViewName.parse(name))


def dispatched_parts() -> list[int]:
    """Return the ids in the queue's messages, in order."""
    return [message.task["args"][0] for message in OrmQ.objects.order_by("id")]


def view_names_of_parts(queued: EnqueueResult) -> list[list[str]]:
    return [sorted(name for _, name in part.views) for part in queued.parts]


def test_request_for_all_reports_is_queued_in_partitions() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a", agency="metro")
    create_canned_report("reporting.c", "SELECT 1 AS n", agencies=("demo", "harbor"))
    create_custom_manifest("reporting.too.many.parts", "SELECT 1", agency="harbor")
    queued = enqueue_refresh(AllReports(), requested_by="an operator")
    assert not queued.joined
    assert sorted(view_names_of_parts(queued)) == [[], ["reporting.a", "reporting.b"], ["reporting.c"]]
    rows = list(QueuedRefresh.objects.order_by("part"))
    assert [(row.request_id, row.part, row.parts, row.state) for row in rows] == [
        (queued.request_id, number, 3, "queued") for number in (1, 2, 3)
    ]
    assert {(row.description, row.requested_by) for row in rows} == {("every report", "an operator")}
    assert sorted(agency for row in rows for agency in row.agencies) == ["demo", "demo", "harbor", "harbor", "metro"]
    assert sum(len(part.manifest_keys) for part in queued.parts) == 5
    assert dispatched_parts() == [row.pk for row in rows]
    assert all(row.dispatched_at and row.dispatched_at > row.requested_at for row in rows)


def test_key_used_twice_concurrently_returns_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    plan, earlier = planning.build, list[EnqueueResult]()

    def build_plan_after_another_request(selection: Selection) -> RefreshPlan:
        monkeypatch.setattr(planning, "build", plan)
        earlier.append(enqueue_refresh(AllReports(), requested_by="another", idempotency_key="k"))
        part_rows.claim(QueuedRefresh.objects.get(), run_id="r", worker="host:1")  # so that it cannot be joined
        return plan(selection)

    monkeypatch.setattr(planning, "build", build_plan_after_another_request)
    later = enqueue_refresh(AllReports(), requested_by="an operator", idempotency_key="k")
    assert (later.repeated, later.request_id) == (True, earlier[0].request_id)


def test_number_of_partitions_is_limited_by_the_setting(settings: Settings) -> None:
    settings.SEEDER = {"QUEUE_PARTS": 2}
    for number in range(5):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    assert sorted(
        map(len, view_names_of_parts(enqueue_refresh(AllReports(report_type=ReportType.CUSTOM), requested_by="")))
    ) == [
        2,
        3,
    ]


def test_request_for_one_agency_is_one_partition() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    assert view_names_of_parts(enqueue_refresh(AgencyReports(slug="demo"), requested_by="")) == [
        ["reporting.a", "reporting.b"]
    ]


def test_empty_selection_queues_nothing() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n", enabled=False)
    queued = enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
    assert (queued.request_id, queued.parts) == (None, ())
    with pytest.raises(UnknownAgency):
        enqueue_refresh(AgencyReports(slug="dem"), requested_by="")
    assert not dispatched_parts()


def test_request_joins_a_queued_one_that_has_not_started() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    all_reports = enqueue_refresh(AllReports(), requested_by="")
    joining = enqueue_refresh(single_view("reporting.a"), requested_by="")
    assert (joining.joined, joining.request_id, view_names_of_parts(joining)) == (
        True,
        all_reports.request_id,
        [["reporting.a"]],
    )
    again = enqueue_refresh(AllReports(), requested_by="")
    assert (again.joined, again.request_id, len(again.parts)) == (True, all_reports.request_id, 2)
    assert len(dispatched_parts()) == 2
    joined = QueuedRefresh.objects.get(pk=joining.parts[0].id)
    assert joined.joined_at
    assert joined.joined_at > joined.requested_at, "only a refresh after this time satisfies the request"


def test_request_does_not_join_a_started_or_narrower_one() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    first = enqueue_refresh(single_view("reporting.a"), requested_by="")
    wider = enqueue_refresh(AllReports(), requested_by="")
    assert not wider.joined
    QueuedRefresh.objects.update(state="running", run_ids=["r"])
    assert not enqueue_refresh(single_view("reporting.a"), requested_by="").joined
    QueuedRefresh.objects.filter(request_id=first.request_id).update(state="queued")  # released, after a first claim
    QueuedRefresh.objects.exclude(request_id=first.request_id).update(state="ended")
    assert not enqueue_refresh(single_view("reporting.a"), requested_by="").joined


def test_repeated_key_returns_the_same_request_in_any_state() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    first = enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="k")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    again = enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="k")
    assert (again.repeated, again.request_id, [part.state for part in again.parts]) == (
        True,
        first.request_id,
        [QueuedPartState.ENDED],
    )
    assert (
        enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="other").request_id
        != first.request_id
    )


def test_repeated_key_of_a_joined_request_returns_the_same_parts() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    all_reports = enqueue_refresh(AllReports(), requested_by="", idempotency_key="all")
    enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="one")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    assert len(enqueue_refresh(AllReports(), requested_by="", idempotency_key="all").parts) == 2
    again = enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="one")
    assert (again.request_id, view_names_of_parts(again)) == (all_reports.request_id, [["reporting.a"]])


def test_key_of_another_request_is_refused() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    enqueue_refresh(single_view("reporting.a"), requested_by="", idempotency_key="k")
    with pytest.raises(IdempotencyKeyTaken, match="'k' belongs to an earlier request for the view reporting.a"):
        enqueue_refresh(AllReports(), requested_by="", idempotency_key="k")
    for key in ("", "\0", "k" * 201):
        with pytest.raises(BadIdempotencyKey):
            enqueue_refresh(AllReports(), requested_by="", idempotency_key=key)


def test_concurrent_requests_are_joined_to_one() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    barrier = Barrier(6, timeout=20)

    def enqueue(_: int) -> bool:
        barrier.wait()
        try:
            return enqueue_refresh(AllReports(), requested_by="").joined
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(enqueue, range(6))) == [False, *[True] * 5]
    assert len(dispatched_parts()) == 1


def test_request_waits_for_another_one_to_be_queued() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as other_session:
        other_session.execute("BEGIN")
        other_session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock_keys.ENQUEUE])
        with blocked_call(other_session, lambda: enqueue_refresh(AllReports(), requested_by="").joined) as request:
            assert not request.done()
            other_session.execute("COMMIT")
            assert not request.result()


def test_missing_queue_is_an_error(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    with pytest.raises(QueueMissing, match="django_q is not among INSTALLED_APPS"):
        enqueue_refresh(AllReports(), requested_by="")
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_q"]
    sql("DROP TABLE reporting.seeder_queued_refresh")
    with pytest.raises(QueueMissing, match="seeder_queued_refresh: a table in the contract, missing here"):
        enqueue_refresh(AllReports(), requested_by="")


def test_failed_dispatch_is_repeated_later(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise OSError("no route to the broker")

    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    monkeypatch.setattr("django_q.tasks.async_task", fail)
    [part] = enqueue_refresh(AllReports(), requested_by="").parts
    assert QueuedRefresh.objects.get(pk=part.id).dispatched_at is None
    assert f"dispatch_failed part={part.id} reason=OSError" in caplog.text


def test_dispatch_keeps_the_connection_of_its_thread() -> None:
    """Django's connections have no maximum age in the tests, as by default, so the broker would close them."""
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    [backend] = sql("SELECT pg_backend_pid()")
    assert enqueue_refresh(single_view("reporting.a"), requested_by="").parts
    assert sql("SELECT pg_backend_pid()") == [backend]
    assert OrmQ.objects.count() == 1


def test_queue_without_its_tables_is_missing() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    sql("ALTER TABLE django_q_schedule RENAME TO gone")
    try:
        with pytest.raises(QueueMissing, match="`manage.py migrate` creates them"):
            enqueue_refresh(AllReports(), requested_by="")
        assert rescue_stalled_parts().dispatched == ()
        assert queue_overview.read_queue_overview().waiting is None
    finally:
        sql("ALTER TABLE gone RENAME TO django_q_schedule")
