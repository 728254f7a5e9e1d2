"""Asking for a refresh that a worker will do: splitting, joining, asking twice."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django_q.models import OrmQ
from pytest_django import Settings

from seeder.domain.manifests import ReportType, Selection
from seeder.domain.plan import RefreshPlan
from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPartState
from seeder.domain.refresh_requests import AgencyReports, AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.errors import BadIdempotencyKey, IdempotencyKeyTaken, QueueMissing, UnknownAgency
from seeder.models import QueuedRefresh
from seeder.services.queue import part_rows, queue_overview
from seeder.services.queue.enqueue import enqueue_refresh
from seeder.services.queue.rescue import rescue_stalled_parts
from seeder.services.run import planning
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")


def of(name: str) -> SingleView:
    return SingleView(name=ViewName.parse(name))


def dispatched_parts() -> list[int]:
    """What the queue was told, in its order."""
    return [message.task["args"][0] for message in OrmQ.objects.order_by("id")]


def views(queued: EnqueueResult) -> list[list[str]]:
    return [sorted(str(key.name) for key in part.views) for part in queued.parts]


def test_a_request_for_everything_is_queued_in_parts_and_the_queue_is_told_their_ids() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a", agency="metro")
    create_canned_report("reporting.c", "SELECT 1 AS n", agencies=("demo", "harbor"))
    create_custom_manifest("reporting.too.many.parts", "SELECT 1", agency="harbor")
    queued = enqueue_refresh(AllReports(), requested_by="somebody")
    assert not queued.joined
    assert sorted(views(queued)) == [[], ["reporting.a", "reporting.b"], ["reporting.c"]]
    rows = list(QueuedRefresh.objects.order_by("part"))
    assert [(row.request_id, row.part, row.parts, row.state) for row in rows] == [
        (queued.request_id, number, 3, "queued") for number in (1, 2, 3)
    ]
    assert {(row.description, row.requested_by) for row in rows} == {("every report", "somebody")}
    assert sorted(agency for row in rows for agency in row.agencies) == ["demo", "demo", "harbor", "harbor", "metro"]
    assert sum(len(part.manifests) for part in queued.parts) == 5
    assert dispatched_parts() == [row.pk for row in rows]
    assert all(row.dispatched_at and row.dispatched_at > row.requested_at for row in rows)


def test_key_asked_with_twice_at_once_gets_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    plan, earlier = planning.build, list[EnqueueResult]()

    def planned_while_another_asks(selection: Selection) -> RefreshPlan:
        monkeypatch.setattr(planning, "build", plan)
        earlier.append(enqueue_refresh(AllReports(), requested_by="another", idempotency_key="k"))
        part_rows.claim(QueuedRefresh.objects.get(), run_id="r", worker="host:1")  # so that it cannot be joined
        return plan(selection)

    monkeypatch.setattr(planning, "build", planned_while_another_asks)
    later = enqueue_refresh(AllReports(), requested_by="somebody", idempotency_key="k")
    assert (later.repeated, later.request_id) == (True, earlier[0].request_id)


def test_no_more_parts_than_the_setting_says(settings: Settings) -> None:
    settings.SEEDER = {"QUEUE_PARTS": 2}
    for number in range(5):
        create_custom_manifest(f"reporting.v{number}", "SELECT 1 AS n")
    assert sorted(map(len, views(enqueue_refresh(AllReports(report_type=ReportType.CUSTOM), requested_by="")))) == [
        2,
        3,
    ]


def test_one_agency_is_one_part() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    assert views(enqueue_refresh(AgencyReports(slug="demo"), requested_by="")) == [["reporting.a", "reporting.b"]]


def test_an_empty_selection_is_valid_and_queues_nothing() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n", enabled=False)
    queued = enqueue_refresh(AgencyReports(slug="demo"), requested_by="")
    assert (queued.request_id, queued.parts) == (None, ())
    with pytest.raises(UnknownAgency):
        enqueue_refresh(AgencyReports(slug="dem"), requested_by="")
    assert not dispatched_parts()


def test_what_is_queued_and_not_begun_is_joined() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n", agency="metro")
    everything = enqueue_refresh(AllReports(), requested_by="")
    one = enqueue_refresh(of("reporting.a"), requested_by="")
    assert (one.joined, one.request_id, views(one)) == (True, everything.request_id, [["reporting.a"]])
    again = enqueue_refresh(AllReports(), requested_by="")
    assert (again.joined, again.request_id, len(again.parts)) == (True, everything.request_id, 2)
    assert len(dispatched_parts()) == 2
    joined = QueuedRefresh.objects.get(pk=one.parts[0].id)
    assert joined.joined_at
    assert joined.joined_at > joined.requested_at, "from then on a refresh has to be later, to be good enough"


def test_what_is_begun_or_covers_only_a_part_is_not_joined() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    first = enqueue_refresh(of("reporting.a"), requested_by="")
    wider = enqueue_refresh(AllReports(), requested_by="")
    assert not wider.joined
    QueuedRefresh.objects.update(state="running", run_ids=["r"])
    assert not enqueue_refresh(of("reporting.a"), requested_by="").joined
    QueuedRefresh.objects.filter(request_id=first.request_id).update(state="queued")  # put back, so once begun
    QueuedRefresh.objects.exclude(request_id=first.request_id).update(state="ended")
    assert not enqueue_refresh(of("reporting.a"), requested_by="").joined


def test_asking_again_with_the_same_key_gets_the_same_answer_whatever_has_become_of_it() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    first = enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="k")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    again = enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="k")
    assert (again.repeated, again.request_id, [part.state for part in again.parts]) == (
        True,
        first.request_id,
        [QueuedPartState.ENDED],
    )
    assert enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="other").request_id != first.request_id


def test_who_has_joined_gets_the_same_answer_too() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 AS n")
    everything = enqueue_refresh(AllReports(), requested_by="", idempotency_key="all")
    enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="one")
    QueuedRefresh.objects.update(state="ended", run_ids=["r"])
    assert len(enqueue_refresh(AllReports(), requested_by="", idempotency_key="all").parts) == 2
    again = enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="one")
    assert (again.request_id, views(again)) == (everything.request_id, [["reporting.a"]])


def test_a_key_that_belongs_to_something_else_is_refused() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    enqueue_refresh(of("reporting.a"), requested_by="", idempotency_key="k")
    with pytest.raises(IdempotencyKeyTaken, match="'k' belongs to an earlier request for the view reporting.a"):
        enqueue_refresh(AllReports(), requested_by="", idempotency_key="k")
    for key in ("", "\0", "k" * 201):
        with pytest.raises(BadIdempotencyKey):
            enqueue_refresh(AllReports(), requested_by="", idempotency_key=key)


def test_of_many_who_ask_at_once_one_queues_and_the_others_join() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    together = Barrier(6, timeout=20)

    def asks(_: int) -> bool:
        together.wait()
        try:
            return enqueue_refresh(AllReports(), requested_by="").joined
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(asks, range(6))) == [False, *[True] * 5]
    assert len(dispatched_parts()) == 1


def test_where_nothing_can_be_queued_that_is_said(settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_q"]
    with pytest.raises(QueueMissing, match="django_q is not among INSTALLED_APPS"):
        enqueue_refresh(AllReports(), requested_by="")
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_q"]
    sql("DROP TABLE reporting.seeder_queued_refresh")
    with pytest.raises(QueueMissing, match="seeder_queued_refresh: a table in the contract, missing here"):
        enqueue_refresh(AllReports(), requested_by="")


def test_a_queue_that_cannot_be_told_just_now_is_told_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(*_: object) -> None:
        raise OSError("no route to the broker")

    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    monkeypatch.setattr("django_q.tasks.async_task", cannot)
    [part] = enqueue_refresh(AllReports(), requested_by="").parts
    assert QueuedRefresh.objects.get(pk=part.id).dispatched_at is None
    assert f"dispatch_failed part={part.id} reason=OSError" in caplog.text


def test_a_queue_without_tables_is_missing() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    sql("ALTER TABLE django_q_schedule RENAME TO gone")
    try:
        with pytest.raises(QueueMissing, match="`manage.py migrate` creates them"):
            enqueue_refresh(AllReports(), requested_by="")
        assert rescue_stalled_parts().dispatched == ()
        assert queue_overview.read_queue_overview().waiting is None
    finally:
        sql("ALTER TABLE gone RENAME TO django_q_schedule")
