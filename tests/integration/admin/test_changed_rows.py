"""The section of a view's page about the rows that its refreshes changed."""

from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.models import ChangeSample, RunHistory
from seeder.services import change_samples
from tests.conftest import sql
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page

PAGE, TABLE = "monitoring/view/", "reporting.good"


def test_page_of_view_shows_changed_rows_to_users_who_may_see_data() -> None:
    reader = client_with(*READER_PERMISSIONS)
    trusted = client_with(*READER_PERMISSIONS, "view_errors", name="trusted")
    assert "None was requested yet." in get_page(reader, PAGE, table=TABLE)
    view = SingleView(name=ViewName.parse(TABLE), max_changed_rows=5)
    change_samples.request_samples(view, requested_by="ada")
    assert "stores up to 5 changed rows of each kind" in get_page(reader, PAGE, table=TABLE)
    history = RunHistory.objects.get(table_name=TABLE)
    row = {"kind": "updated", "key": [["n", "<7>"]], "old": [["t", None]], "new": [["t", ""]], "omitted": 2}
    counts = {"rows_updated": 1, "rows_inserted": 0, "rows_deleted": 0}
    ChangeSample.objects.update(history=history, run_id=history.run_id, rows=[row], **counts)
    page = get_page(reader, PAGE, table=TABLE)
    assert "1 updated, 0 inserted, 0 deleted" in page
    assert "The rows are data, so they require seeder.view_errors." in page
    assert "&lt;7&gt;" not in page
    page = get_page(trusted, PAGE, table=TABLE)
    assert "<bdi>&lt;7&gt;</bdi>" in page
    assert '<del><span class="quiet">null</span></del> → <ins><span class="quiet">empty</span></ins>' in page
    assert "and 2 columns" in page
    assert "requested by ada" in page


def test_button_requests_a_refresh_with_changed_rows() -> None:
    operator = client_with(*READER_PERMISSIONS, "refresh_views")
    assert 'id="refresh-with-changes"' in get_page(operator, PAGE, table=TABLE)
    address = f"/admin/seeder/{PAGE}?table={TABLE}"
    operator.post(address, {"refresh": TABLE, "changed_rows": "yes"})
    assert [(row.table_name, row.requested_by) for row in ChangeSample.objects.all()] == [(TABLE, "user")]


def test_page_of_view_without_the_table_has_no_section() -> None:
    sql("DROP TABLE reporting.seeder_change_sample")
    assert "Changed rows" not in get_page(client_with(*READER_PERMISSIONS), PAGE, table=TABLE)
