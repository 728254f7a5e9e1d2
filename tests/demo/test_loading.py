"""The demo in a database: loaded once, then refreshed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.errors import TooManyRejects
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from demo import loading
from demo.agencies import read_catalogue
from demo.errors import DemoError
from demo.files import FILES
from demo.loading import load, load_damaged_copies, load_newest_edition
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.slow

VIEWS = 20  # of the 21 reports, the one of gotham is disabled
ROWS = {
    "nypd_hate_crime_lines": 2406,
    "maryland_crimes": 1104,
    "us_estimated_crimes": 2064,
    "us_juvenile_arrests": 690,
    "berlin_crimes": 1200,
}


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the edited copies."""
    monkeypatch.setattr(loading, "COPIES", tmp_path)
    return tmp_path


def row_counts() -> dict[str, int]:
    return {file.table: sql(f"SELECT count(*) FROM records.{file.table}")[0][0] for file in FILES}


@pytest.mark.usefixtures("load_tables")
def test_load_inserts_every_row_once() -> None:
    first = load(connection)
    assert [one.counts.rows_inserted for one in first.files] == list(ROWS.values())
    assert first.manifest_rows_written == 28
    second = load(connection)
    assert {one.status for one in second.files} == {LoadStatus.SKIPPED}
    assert second.manifest_rows_written == 0
    assert row_counts() == ROWS


@pytest.mark.usefixtures("load_tables")
def test_dropped_tables_are_loaded_again() -> None:
    load(connection)
    sql("DROP SCHEMA records CASCADE")
    assert load(connection).has_loaded_files
    assert row_counts() == ROWS
    assert not load(connection).has_loaded_files


@pytest.mark.usefixtures("load_tables")
def test_edited_demo_manifest_is_corrected_and_others_are_kept() -> None:
    load(connection)
    CustomReportManifest.objects.filter(pk=90001).update(query="SELECT 1")
    other = CustomReportManifest.objects.create(
        table_name="mine", report_name="Mine", agency_id=9, agency_slug="mine", query="SELECT 1", database_id=1
    )
    assert load(connection).manifest_rows_written == 1
    other.refresh_from_db()
    assert other.query == "SELECT 1"


@pytest.mark.usefixtures("bare_database")
def test_load_without_the_contract_is_refused() -> None:
    with pytest.raises(DemoError, match="install the reporting schema first"):
        load(connection)
    assert sql("SELECT to_regnamespace('records')") == [(None,)]


@pytest.mark.usefixtures("load_tables")
def test_tables_of_an_earlier_demo_are_refused() -> None:
    sql("CREATE SCHEMA records; CREATE TABLE records.nypd_hate_crimes (complaint_id bigint)")
    with pytest.raises(DemoError, match="DROP SCHEMA records CASCADE"):
        load(connection)


@pytest.mark.usefixtures("load_tables")
def test_damaged_copies_change_no_row_and_list_their_rejects(copies: Path) -> None:
    load(connection)
    juveniles, maryland, berlin = load_damaged_copies(connection).values()
    assert isinstance(juveniles, Loaded)
    assert isinstance(maryland, Loaded)
    assert (juveniles.counts.rows_unchanged, juveniles.counts.rows_rejected) == (686, 4)
    assert (maryland.counts.rows_unchanged, maryland.counts.rows_rejected) == (1103, 1)
    lines = (copies / "damaged_arrests_national_juvenile.csv").read_bytes().splitlines()
    for reject in juveniles.rejects:
        assert lines[reject.line_no - 1] == reject.raw
        [problem] = reject.problems
        assert re.fullmatch(r'invalid input syntax for type integer: "\d+O"', problem.reason)
        assert problem.column
    assert [one.line_no for one in maryland.rejects] == [321]
    assert isinstance(berlin, TooManyRejects)
    assert "648 of 1200 records were rejected" in str(berlin)
    assert "line 2: byte 33 of the record is not UTF-8: 0xfc" in str(berlin)
    assert row_counts() == ROWS


@pytest.mark.usefixtures("load_tables")
def test_newest_edition_adds_a_year_to_the_earlier_one() -> None:
    load(connection)
    newest = load_newest_edition(connection)
    assert (newest.counts.rows_inserted, newest.counts.rows_unchanged) == (52, 2064)
    assert sql("SELECT DISTINCT year FROM records.us_estimated_crimes ORDER BY 1 DESC LIMIT 2") == [(2019,), (2018,)]
    assert load_newest_edition(connection).status is LoadStatus.SKIPPED
    assert not load(connection).has_loaded_files


@pytest.mark.usefixtures("load_tables", "empty_queue")
def test_newest_edition_refreshes_only_its_dependent_views(manage: Callable[..., CompletedCommand]) -> None:
    assert manage("load_demo").exit_code == 0
    assert manage("refresh_agency", "demo").exit_code == 0
    newest = manage("load_demo", "--newest-edition")
    assert "2 views: reporting.us_crime_rate_trend, reporting.us_state_crime_ranks" in newest.lines[-1]
    assert manage("load_demo", "--newest-edition").lines == [
        "The newest edition is loaded already. No view was refreshed."
    ]
    [again] = manage("load_demo").lines
    assert again.startswith("The demo is loaded already: 5 files, ")


@pytest.mark.usefixtures("load_tables")
def test_command_lists_rejects_and_names_a_refused_file(manage: Callable[..., CompletedCommand]) -> None:
    out = manage("load_demo").out
    assert re.search(r'^line 21: agencies: invalid input syntax for type integer: "1331O"', out, re.MULTILINE)
    assert re.search(r"^damaged_Berlin_crimes\.csv: 648 of 1200 records were rejected", out, re.MULTILINE)


@pytest.mark.usefixtures("load_tables")
def test_records_are_typed_and_derived_as_documented() -> None:
    load(connection)
    load_newest_edition(connection)
    for statement, expected in {
        "SELECT count(*), count(DISTINCT complaint_id), min(recorded_on)::text FROM records.nypd_hate_crimes": (
            2200,
            2200,
            "2019-01-01",
        ),
        "SELECT count(*), count(DISTINCT arrest_id) FROM records.nypd_hate_crime_arrests": (987, 977),
        "SELECT recorded_on::text, precinct, county FROM records.nypd_hate_crimes"
        " WHERE complaint_id = 202206012204617": ("2022-03-07", 60, "KINGS"),
        "SELECT population, burglary, all_crimes, all_crimes_per_100k::text FROM records.maryland_crimes"
        " WHERE jurisdiction = 'Allegany County' AND year = 1975": (79655, 669, 2329, "2923.9"),
        "SELECT state, state_name, population FROM records.us_estimated_crimes WHERE is_nation AND year = 2019": (
            "US",
            "United States",
            328239523,
        ),
        "SELECT rape_legacy, rape_revised FROM records.us_estimated_crimes WHERE state = 'WY' AND year = 2019": (
            None,
            324,
        ),
        "SELECT f_0_9, female FROM records.us_juvenile_arrests WHERE offense_code = 'ASR_VAG' AND year = 1994": (
            None,
            683,
        ),
        "SELECT location FROM records.berlin_crimes WHERE location_code = '010111' AND year = 2012": (
            "Tiergarten Süd",
        ),
        "SELECT count(*) FROM records.berlin_crimes WHERE NOT is_located": (12 * 8,),
    }.items():
        assert sql(statement) == [expected], statement


@pytest.mark.usefixtures("load_tables")
def test_header_of_each_file_identifies_its_dialect() -> None:
    load(connection)
    for file in FILES:
        assert load_file(str(file.path), force=True).target == f"records.{file.table}"


@pytest.mark.usefixtures("load_tables")
def test_tables_name_their_source() -> None:
    load(connection)
    for file in FILES:
        [(comment,)] = sql("SELECT obj_description(%s::regclass)", f"records.{file.table}")
        assert "kaggle.com/datasets/" in comment


@pytest.mark.usefixtures("load_tables")
def test_views_are_created_and_then_refreshed_in_place(
    manage: Callable[..., CompletedCommand],
) -> None:
    assert manage("load_demo").exit_code == 0
    created = manage("refresh_all", "--json")
    assert created.exit_code == 0
    assert {view["outcome"] for view in created.document["views"]} == {"created"}
    assert len(created.document["views"]) == VIEWS
    oids = sql("SELECT relname, oid FROM pg_class WHERE relkind = 'm' ORDER BY oid")
    refreshed = manage("refresh_all", "--json")
    assert {view["outcome"] for view in refreshed.document["views"]} == {"refreshed"}
    assert sql("SELECT relname, oid FROM pg_class WHERE relkind = 'm' ORDER BY oid") == oids
    assert all(view["recordsProcessed"] > 0 for view in refreshed.document["views"])
    last = RunHistory.objects.filter(run_id=refreshed.document["runId"])
    assert last.filter(table_name="reporting.us_crime_rate_trend", status="success").count() == 3
    assert set(JobStatus.objects.values_list("status", "consecutive_failures")) == {("success", 0)}


@pytest.mark.usefixtures("load_tables")
def test_documented_key_of_each_report_is_unique(manage: Callable[..., CompletedCommand]) -> None:
    """A unique index on these columns allows concurrent refreshes."""
    assert manage("load_demo").exit_code == 0
    assert manage("refresh_all").exit_code == 0
    catalogue = read_catalogue()
    enabled = [(report.table_name, report.query) for report in catalogue.custom if report.enabled]
    canned = [(report.table_name, report.query) for report in catalogue.canned]
    assert len(enabled + canned) == VIEWS
    for table_name, query in enabled + canned:
        found = re.search(r"One row per \(([^)]+)\)", query)
        assert found, table_name
        [(view,)] = sql(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND relname = %s",
            ViewName.parse(table_name).name,
        )
        rows, keys, nulls = sql(
            f"SELECT count(*), count(DISTINCT ({found[1]})), count(*) FILTER (WHERE ({found[1]}) IS NULL) FROM {view}"
        )[0]
        assert rows == keys, table_name
        assert nulls == 0, table_name


@pytest.mark.usefixtures("load_tables")
def test_agency_without_enabled_reports_has_nothing_to_refresh(manage: Callable[..., CompletedCommand]) -> None:
    assert manage("load_demo").exit_code == 0
    result = manage("refresh_agency", "gotham")
    assert result.exit_code == 0
    assert "Nothing to refresh: no manifest is enabled for the agency 'gotham'." in result.out
