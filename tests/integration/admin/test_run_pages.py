"""The page of a run: rows and modes of its refreshes."""

from seeder.models import RunHistory, RunMetrics
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page


def test_page_of_run_shows_inserted_and_deleted_rows() -> None:
    row = RunHistory.objects.get(table_name="reporting.good")
    RunMetrics.objects.filter(pk=row.pk).update(rows_inserted=1234567, rows_deleted=7654321)
    page = get_page(client_with(*READER_PERMISSIONS), f"monitoring/run/{row.run_id}/")
    assert 'data-label="Inserted">1,234,567<' in page
    assert 'data-label="Deleted">7,654,321<' in page


def test_page_of_run_shows_mode_with_reason_and_unchanged_rows() -> None:
    row = RunHistory.objects.get(table_name="reporting.good")
    RunHistory.objects.filter(pk=row.pk).update(records_processed=5000)
    reason = "Concurrent, because <it> must."
    RunMetrics.objects.filter(pk=row.pk).update(mode="concurrent", mode_reason=reason, rows_inserted=7, rows_deleted=3)
    reader = client_with(*READER_PERMISSIONS)
    page = get_page(reader, f"monitoring/run/{row.run_id}/")
    assert 'data-label="Unchanged">4,993<' in page
    assert '<span class="quiet">Concurrent, because &lt;it&gt; must.</span>' in page
    RunMetrics.objects.filter(pk=row.pk).update(mode="plain", mode_reason=None)
    page = get_page(reader, f"monitoring/run/{row.run_id}/")
    assert '<span class="quiet">plain</span>' in page
