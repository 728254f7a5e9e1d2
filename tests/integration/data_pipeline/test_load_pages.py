"""The admin pages of loads and rejects: contents, permissions, filters and actions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Value
from django.db.models.functions import MD5
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.models.load_log import ADDRESS_HASH
from data_pipeline.services.undoing import undo_load
from seeder.models import Mute
from tests.conftest import sql
from tests.integration.data_pipeline.admin_scene import client_with, create_loads

LOADS, REJECTS = "/admin/data_pipeline/loadlog/", "/admin/data_pipeline/loadreject/"
VIEW = ("data_pipeline.view_loadlog", "data_pipeline.view_loadreject")


@pytest.fixture(autouse=True)
def loads(load_tables: None, tmp_path: Path) -> Iterator[None]:
    User.objects.all().delete()
    create_loads(tmp_path)
    yield
    User.objects.all().delete()


@pytest.fixture
def without_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without the queue, where actions run in the web process."""
    monkeypatch.setattr("seeder.services.queue.dispatch.is_installed", lambda: False)


def body(client: Client, path: str, status: int = 200, **parameters: str) -> str:
    answer = client.get(path, parameters)
    assert answer.status_code == status
    return str(answer.content.decode())


def load_path(load_id: int = 2) -> str:
    return f"{LOADS}{load_id}/change/"


def post_action(client: Client, action: str, load_id: int = 1) -> str:
    """Confirm an action. Return the page of the load, which shows the result."""
    answer = client.post(f"{LOADS}{load_id}/{action}/", follow=True)
    return str(answer.content.decode())


def test_list_shows_files_with_their_outcome() -> None:
    page = body(client_with(*VIEW), LOADS)
    assert page.index("headless.csv") < page.index("orders-damaged.csv") < page.index("orders.csv")
    assert "failed</span>" in page
    assert page.count("loaded</span>") == 2


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"status": "failed"}, [3]),
        ({"target": "landing.orders"}, [3, 2, 1]),
        ({"source": "ingest.import_file", "status": "success"}, [2, 1]),
        ({"q": "2"}, [2]),
        ({"q": "nothing"}, []),
    ],
)
def test_list_is_filtered_and_searched(parameters: dict[str, str], expected: list[int]) -> None:
    answer = client_with(*VIEW).get(LOADS, parameters)
    assert [load.pk for load in answer.context["cl"].result_list] == expected


def test_undone_load_is_no_failure_in_the_list() -> None:
    undo_load(1, actor="test")
    client = client_with(*VIEW)
    assert '<span class="load-status quiet">' in body(client, LOADS)
    for status, expected in (("undone", [1]), ("failed", [3])):
        answer = client.get(LOADS, {"status": status})
        assert [load.pk for load in answer.context["cl"].result_list] == expected


def test_search_finds_the_exact_address() -> None:
    uri = LoadLog.objects.get(pk=1).payload_meta["source_uri"]
    client = client_with(*VIEW)
    assert [load.pk for load in client.get(LOADS, {"q": uri}).context["cl"].result_list] == [1]
    assert not client.get(LOADS, {"q": uri[:-1]}).context["cl"].result_list


def test_search_for_address_uses_its_index() -> None:
    sql("ANALYZE load_log; SET enable_seqscan = off")
    plan = LoadLog.objects.alias(address_hash=ADDRESS_HASH).filter(address_hash=MD5(Value("x"))).explain()
    sql("RESET enable_seqscan")
    assert "load_log_uri" in plan


def test_number_of_queries_does_not_grow_with_the_lists() -> None:
    client = client_with(*VIEW)
    counts = {}
    for path in (LOADS, REJECTS):
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(path)
        counts[path] = len(few)
    sql(
        "INSERT INTO load_log (source, idempotency_key, status) SELECT 's', lpad(to_hex(n), 64, '0'), 'success'"
        " FROM generate_series(1, 300) AS n"
    )
    sql(
        "INSERT INTO load_reject (load_id, line_no, record_no, problems, raw)"
        " SELECT id, 1, 1, '[]', 'x' FROM load_log WHERE source = 's'"
    )
    for path, count in counts.items():
        with CaptureQueriesContext(connection) as many:
            client.get(path)
        assert len(many) <= count <= 15


def test_page_has_counts_events_rejects_and_metadata() -> None:
    page = body(client_with(*VIEW), load_path())
    assert '<span class="number">3</span> rejected' in page
    assert "orders-damaged.csv" in page
    assert page.index('<th scope="row">claimed') < page.index('<th scope="row">loaded')
    assert page.count('class="record"') == 3


def test_page_draws_the_views_in_layers_with_links() -> None:
    page = body(client_with(*VIEW, "seeder.view_jobstatus"), load_path())
    drawing = page[page.index('<svg class="lineage"') : page.index("</svg>", page.index('<svg class="lineage"'))]
    assert 'href="/admin/seeder/monitoring/view/?table=reporting.top_orders"' in drawing
    assert "reporting.unrelated" not in page
    assert drawing.count('class="line"') == 5


def test_page_without_permission_for_views_has_no_links() -> None:
    page = body(client_with(*VIEW), load_path())
    assert "reporting.top_orders" in page
    assert "/admin/seeder/monitoring/view/" not in page


def test_views_of_other_agencies_are_not_shown(settings: Settings) -> None:
    settings.SEEDER = {"AGENCY_SCOPE": "tests.integration.admin.admin_clients.scope_by_name"}
    sql("UPDATE reporting.seeder_custom_report_manifest SET agency_slug = 'metro' WHERE table_name ~ 'top'")
    page = body(client_with(*VIEW, name="demo"), load_path())
    assert "reporting.order_count" in page
    assert "top_orders" not in page
    assert "1 view of other agencies" in page


def test_page_of_unknown_load_is_not_found() -> None:
    client = client_with(*VIEW)
    for load_id in ("99", "x", "9" * 30):
        body(client, f"{LOADS}{load_id}/change/", status=404)


def test_page_of_failed_load_has_its_error() -> None:
    page = body(client_with(*VIEW, "data_pipeline.see_raw"), load_path(3))
    assert "header_refused" in page
    assert "does not match the table: unknown column" in page


def test_page_of_stuck_load_says_how_to_recover_it() -> None:
    sql("UPDATE load_log SET status = 'pending' WHERE id = 3")
    assert "recover_loads" in body(client_with(*VIEW), load_path(3))


@pytest.mark.parametrize("path", [LOADS, REJECTS, f"{LOADS}1/change/", f"{REJECTS}1/change/"])
def test_pages_need_their_permission(path: str) -> None:
    body(client_with("data_pipeline.load"), path, status=403)


def test_values_are_hidden_without_permission() -> None:
    reader, owner = client_with(*VIEW), client_with(*VIEW, "data_pipeline.see_raw", name="owner")
    for path in (REJECTS, load_path(), f"{REJECTS}1/change/"):
        hidden, shown = body(reader, path), body(owner, path)
        assert ("Delta" in shown, "12.x" in shown, "Delta" in hidden, "12.x" in hidden) == (True, True, False, False)
        assert "invalid text representation" in hidden


def test_bad_cell_is_marked_and_bytes_are_escaped() -> None:
    client = client_with(*VIEW, "data_pipeline.see_raw")
    page = body(client, REJECTS, load="2")
    assert "4,Delta,<mark>12.x</mark>" in page
    assert "<mark>&quot;Ep\\xff\\x80silon&quot;</mark>,8" in page
    assert "6,Zeta,today,<mark>extra</mark>" in page


def test_long_record_is_shortened_except_on_its_page() -> None:
    sql("UPDATE load_reject SET raw = convert_to('4,' || repeat('long ', 10000) || ',12.x', 'UTF8') WHERE id = 1")
    client = client_with(*VIEW, "data_pipeline.see_raw")
    assert [body(client, path).count("long ") > 200 for path in (REJECTS, load_path(), f"{REJECTS}1/change/")] == [
        False,
        False,
        True,
    ]
    assert ",<mark>12.x</mark>" in body(client, REJECTS)


def test_rejects_are_filtered_by_state_column_and_sqlstate() -> None:
    client = client_with(*VIEW)

    def lines(**parameters: str) -> list[int]:
        return [row.line_no for row in client.get(REJECTS, parameters).context["cl"].result_list]

    sql("UPDATE load_reject SET state = 'dismissed' WHERE line_no = 2")
    assert lines(load="2") == [2, 3, 4]
    assert lines(state="open") == [3, 4]
    assert lines(load="2", column="price") == [2]
    assert lines(load="2", sqlstate="22021") == [3]
    assert lines(load="1") == []
    assert LoadReject.objects.count() == 3


@pytest.mark.usefixtures("without_queue")
def test_undo_needs_confirmation_and_then_removes_the_rows() -> None:
    client = client_with(*VIEW, "data_pipeline.undo")
    assert "Undo load 1</button>" in body(client, f"{LOADS}1/undo/")
    assert sql("SELECT count(*) FROM landing.orders") == [(4,)]
    assert "Load 1 is undone: 3 rows removed" in post_action(client, "undo")
    assert sql("SELECT id FROM landing.orders") == [(7,)]


@pytest.mark.usefixtures("without_queue")
def test_replay_makes_a_new_load() -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    sql("TRUNCATE landing.orders")
    page = post_action(client, "replay")
    assert "The file is loaded again as load 4: 3 inserted, 0 updated, 0 rejected." in page
    assert sql("SELECT count(*) FROM landing.orders") == [(3,)]


@pytest.mark.usefixtures("without_queue")
def test_verify_shows_what_differs(tmp_path: Path) -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    page = post_action(client, "verify")
    assert "The file is equal to what was loaded. 3 rows in the table, equal to the file." in page
    sql("UPDATE landing.orders SET price = 0 WHERE id = 1")
    (tmp_path / "orders.csv").write_bytes(b"id,name,price\n")
    page = post_action(client, "verify")
    assert '<li class="warning">The file was changed since' in page


def test_dismiss_closes_the_open_rejects() -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    assert "/2/dismiss/" in body(client, load_path())
    assert "3 rejects of load 2 dismissed." in post_action(client, "dismiss", load_id=2)
    assert set(LoadReject.objects.values_list("state", flat=True)) == {"dismissed"}
    assert "/2/dismiss/" not in body(client, load_path())


def test_dismiss_closes_a_failure_without_rejects() -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    assert "/3/dismiss/" in body(client, load_path(3))
    page = post_action(client, "dismiss", load_id=3)
    assert "The failure and 0 rejects of load 3 dismissed." in page
    assert "<dt>Dismissed</dt>" in page
    assert "/3/dismiss/" not in page


def test_refused_action_shows_the_reason(tmp_path: Path) -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    (tmp_path / "orders.csv").unlink()
    assert "There is no file" in post_action(client, "replay")


@pytest.mark.parametrize("action", ["undo", "replay", "verify", "dismiss"])
def test_action_without_permission_is_refused(action: str) -> None:
    client = client_with(*VIEW)
    assert client.get(f"{LOADS}1/{action}/").status_code == client.post(f"{LOADS}1/{action}/").status_code == 403
    assert f"/1/{action}/" not in body(client, load_path(1))


def test_unknown_action_is_not_found() -> None:
    assert client_with(*VIEW, "data_pipeline.load").post(f"{LOADS}1/explode/", follow=True).status_code == 404


def test_action_without_csrf_token_is_refused() -> None:
    client = client_with(*VIEW, "data_pipeline.load")
    client.handler.enforce_csrf_checks = True
    assert client.post(f"{LOADS}1/replay/").status_code == 403


def test_nothing_can_be_changed_in_the_admin() -> None:
    client = client_with(
        *VIEW, "data_pipeline.change_loadlog", "data_pipeline.delete_loadlog", "data_pipeline.add_loadlog"
    )
    assert client.get(f"{LOADS}add/").status_code == 403
    assert client.post(f"{LOADS}1/delete/", {"post": "yes"}).status_code == 403
    assert LoadLog.objects.count() == 3


def test_source_is_muted_with_a_reason_until_a_time_and_unmuted() -> None:
    path = f"{LOADS}2/mute/"
    assert 'id="notifications"' not in body(client_with(*VIEW), load_path())
    assert body(client_with("seeder.mute_notifications", name="stranger"), path, status=403)
    operator = client_with(*VIEW, "seeder.mute_notifications", name="ada")
    assert f'href="{path}"' in body(operator, load_path())
    assert "Nothing is notified about a muted source." in body(operator, path)
    operator.post(path, {"mute": "1", "reason": " ", "hours": "3"})
    assert not Mute.objects.exists()
    answer = operator.post(path, {"mute": "1", "reason": "known & accepted", "hours": "3"}, follow=True)
    source = LoadLog.objects.get(pk=2).source
    assert f"The notifications of {source} are muted for 3 hours." in answer.content.decode()
    mute = Mute.objects.get()
    assert (mute.table_name, mute.database_alias, mute.muted_by) == (source, "default", "ada")
    assert "known &amp; accepted" in body(operator, path)
    operator.post(path, {"end": "1"})
    assert not Mute.objects.filter(ends_at__gt=timezone.now()).exists()
    assert body(operator, f"{LOADS}999/mute/", status=404)
