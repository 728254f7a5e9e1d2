"""Statistics: filters by the types of columns, periods, pages, scopes, and as of which loads the rows are."""

from datetime import date

import pytest
from pytest_django import Settings

from data_pipeline.postgres import statistics
from data_pipeline.services.stats.columns import ColumnCache, has_column
from data_pipeline.services.stats.reading import read_score
from data_pipeline.services.stats.views import current_roi_view
from data_pipeline.stats_errors import (
    BadFilterValue,
    ColumnNotFilterable,
    InvalidROIViewError,
    NoDateColumn,
    PageOutdated,
    PeriodTooLong,
    ScoreColumnMissing,
    StatisticViewEmpty,
    StatisticViewMissing,
    TooManyScoredRows,
    UnknownFilter,
    UnknownStatistic,
)
from seeder.errors import DatabaseError
from tests.conftest import create_custom_manifest, sql
from tests.integration.data_pipeline.stats_scene import load, read, refresh, rows

pytestmark = pytest.mark.usefixtures("sales")
VIEW = {"STATS_VIEWS": {"sales": "reporting.mat_sales", "live": "landing.sales", "plain": "landing.v_sales"}}


@pytest.fixture
def sales(load_tables: None, settings: Settings) -> None:
    """A table with a load, a plain view of it, and a manifest of a materialized view of that."""
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, **VIEW}
    sql("CREATE TABLE landing.sales (day date, vendor varchar(6), amount numeric(10,2), n integer)")
    sql("CREATE VIEW landing.v_sales AS SELECT * FROM landing.sales")
    create_custom_manifest("reporting.mat_sales", "SELECT * FROM landing.v_sales")
    load(
        1,
        "INSERT INTO landing.sales VALUES ('2026-11-29', 'acme', 8.20, 1), ('2026-11-30', 'globex', 1.50, 2),"
        " ('2026-11-30', 'acme', NULL, 3), (NULL, 'acme', 0, 4)",
    )
    refresh()


def change(settings: Settings, **changed: object) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, **changed}


def test_rows_are_exact_and_in_order() -> None:
    assert rows() == [
        ["2026-11-30", "acme", None, 3],
        ["2026-11-30", "globex", "1.50", 2],
        ["2026-11-29", "acme", "8.20", 1],
    ]


def test_every_type_is_json_or_the_text_of_postgresql(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"types": "landing.types"})
    sql(
        "CREATE VIEW landing.types AS SELECT 9007199254740993 AS a, 0.1::float8 AS b, 'NaN'::float8 AS c,"
        " '-Infinity'::float4 AS d, true AS e, timestamptz '2026-11-30 12:00:00.5+02' AS f, interval '1 day 2:00' AS g,"
        " '{1,2}'::integer[] AS h, '{\"x\": 1.10}'::jsonb AS i, 'NaN'::numeric AS j, '\\x00ff'::bytea AS k,"
        " timestamp '2026-11-30 01:02:03' AS l, 'infinity'::date AS m, E'é\\n' AS n"
    )
    assert rows("types") == [
        [
            9007199254740993,
            0.1,
            "NaN",
            "-Infinity",
            True,
            "2026-11-30T10:00:00.5+00:00",
            "1 day 02:00:00",
            "{1,2}",
            '{"x": 1.10}',
            "NaN",
            "\\x00ff",
            "2026-11-30T01:02:03",
            "infinity",
            "é\n",
        ]
    ]


def test_filters_keep_equal_values_of_each_column() -> None:
    assert [row[3] for row in rows(filters={"vendor": "acme"})] == [3, 1]
    assert [row[3] for row in rows(filters={"vendor": "acme,globex", "amount": "1.5,8.2"})] == [2, 1]
    assert [row[3] for row in rows(filters={"day": "2026-11-29"})] == [1]


def test_value_is_never_shortened_or_rounded_to_the_type_of_its_column() -> None:
    assert rows(filters={"vendor": "globex-and-more"}) == []
    assert rows(filters={"amount": "8.201"}) == []


def test_quote_in_a_value_is_only_a_value() -> None:
    assert rows(filters={"vendor": "x' OR true --"}) == []


def test_unknown_parameter_is_refused_by_name() -> None:
    with pytest.raises(UnknownFilter, match="'vender' .*: day, vendor, amount, n"):
        read(filters={"vender": "acme"})


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("n", "many", "integer"),
        ("n", "99999999999", "integer"),
        ("amount", "1,5€", "numeric"),
        ("day", "2026-02-30", "date"),
    ],
)
def test_value_of_another_type_is_refused_by_name(column: str, value: str, kind: str) -> None:
    with pytest.raises(BadFilterValue, match=f"'{column}' must be a value of the type {kind}"):
        read(filters={"vendor": "acme", column: value})


def test_error_of_the_view_itself_is_no_error_of_a_filter(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"broken": "landing.broken"})
    sql("CREATE VIEW landing.broken AS SELECT n / (n - n) AS n FROM landing.sales")
    with pytest.raises(Exception, match="division by zero"):
        read("broken", filters={"n": "1"})


def test_column_without_order_is_shown_but_not_filtered(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"shapes": "landing.shapes"})
    sql("CREATE VIEW landing.shapes AS SELECT point(1, 2) AS p, '{}'::json AS j")
    assert rows("shapes") == [["(1,2)", "{}"]]
    with pytest.raises(ColumnNotFilterable, match="'j' has the type json"):
        read("shapes", filters={"j": "{}"})


def test_quoted_names_and_enums_and_domains_are_filtered(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"odd": 'landing."Odd %s view"'})
    sql("CREATE TYPE landing.size AS ENUM ('small', 'large')")
    sql("CREATE DOMAIN landing.code AS char(4) CHECK (VALUE <> 'none')")
    sql("""CREATE VIEW landing."Odd %s view" AS SELECT 'small'::landing.size AS "a "" %s", 'ab'::landing.code AS c""")
    assert rows("odd", filters={'a " %s': "small", "c": "ab"}) == [["small", "ab  "]]
    assert rows("odd", filters={"c": "none"}) == []
    with pytest.raises(BadFilterValue, match="type landing.size"):
        read("odd", filters={'a " %s': "medium"})


def test_period_limits_the_only_column_of_dates() -> None:
    period = read(date_from=date(2026, 11, 30)).read.query.period
    assert period is not None
    assert [row[3] for row in rows(date_from=date(2026, 11, 30))] == [3, 2]
    assert [row[3] for row in rows(date_from=date(2026, 11, 29), date_to=date(2026, 11, 29))] == [1]
    assert (period.first, period.last) == (date(2026, 11, 30), date(2026, 11, 30))


def test_last_day_of_a_period_is_included_to_its_end(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"times": "landing.times"})
    sql(
        "CREATE VIEW landing.times AS SELECT t::timestamptz AS t FROM unnest(ARRAY['2026-11-29 00:00+00',"
        " '2026-11-29 23:59:59.999999+00', '2026-11-30 00:00+00', '2026-11-28 23:59:59.999999+00']) AS t"
    )
    day = date(2026, 11, 29)
    assert rows("times", date_from=day, date_to=day) == [
        ["2026-11-29T23:59:59.999999+00:00"],
        ["2026-11-29T00:00:00+00:00"],
    ]


def test_long_period_is_clamped_or_refused(settings: Settings) -> None:
    change(settings, STATS_MAX_DAYS=1)
    period = read(date_from=date(2026, 1, 1)).read.query.period
    assert period is not None
    assert (period.first, period.is_clamped) == (date(2026, 11, 29), True)
    change(settings, REQUIRE_CLAMP=True)
    with pytest.raises(PeriodTooLong, match="Begin on 2026-11-29 or later"):
        read(date_from=date(2026, 1, 1))


def test_period_of_a_view_with_several_dates_needs_a_setting(settings: Settings) -> None:
    sql("CREATE VIEW landing.dates AS SELECT date '2026-01-01' AS made, date '2026-11-30' AS sold")
    change(settings, STATS_VIEWS={"dates": "landing.dates"})
    assert len(rows("dates")) == 1
    with pytest.raises(NoDateColumn, match="several columns of dates: made, sold"):
        read("dates", date_from=date(2026, 11, 1))
    change(settings, STATS_DATE_COLUMNS={"dates": "sold"})
    assert len(rows("dates", date_from=date(2026, 11, 1))) == 1
    change(settings, STATS_DATE_COLUMNS={"dates": "made"})
    assert rows("dates", date_from=date(2026, 11, 1)) == []


def test_pages_together_are_all_rows() -> None:
    first = read(page_size=2)
    second = read(page_size=2, offset=2, version=first.version)
    assert (first.has_more, second.has_more) == (True, False)
    assert [row[3] for row in (*first.read.rows, *second.read.rows)] == [3, 2, 1]


def test_page_after_a_refresh_is_refused() -> None:
    """Its rows could be those of the page before, or be missing on both."""
    first = read(page_size=2)
    refresh()
    with pytest.raises(PageOutdated, match="reporting.mat_sales was refreshed or altered"):
        read(page_size=2, offset=2, version=first.version)


def test_statistic_outside_of_the_settings_is_unknown() -> None:
    with pytest.raises(UnknownStatistic, match="no statistic 'load_log'"):
        read("load_log")


def test_missing_and_empty_views_are_faults_of_the_host(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"nowhere": "nowhere", "empty": "landing.empty"})
    sql("CREATE MATERIALIZED VIEW landing.empty AS SELECT 1 AS n WITH NO DATA")
    with pytest.raises(StatisticViewMissing, match="The view nowhere of the statistic 'nowhere'"):
        read("nowhere")
    with pytest.raises(StatisticViewEmpty) as refused:
        read("empty")
    assert isinstance(refused.value, DatabaseError)


def test_name_without_schema_is_in_reporting_before_the_search_path(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"both": "both", "log": "load_log"})
    sql("CREATE VIEW public.both AS SELECT 'public' AS place")
    assert rows("both") == [["public"]]
    sql("CREATE VIEW reporting.both AS SELECT 'reporting' AS place")
    assert rows("both") == [["reporting"]]
    assert len(rows("log")) == 1
    sql("DROP VIEW public.both")


def test_query_that_takes_too_long_is_ended(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"slow": "landing.slow"}, STATS_TIMEOUT_S=1)
    sql("CREATE VIEW landing.slow AS SELECT pg_sleep(30)::text AS n")
    with pytest.raises(DatabaseError, match="statement timeout"):
        read("slow")


def test_statistic_cannot_write(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"writing": "landing.writing"})
    sql(
        "CREATE FUNCTION landing.write() RETURNS integer LANGUAGE sql AS"
        " $$ INSERT INTO landing.sales (n) VALUES (5) RETURNING n $$"
    )
    sql("CREATE VIEW landing.writing AS SELECT landing.write() AS n")
    with pytest.raises(DatabaseError, match="read-only"):
        read("writing")


def test_scoped_user_sees_views_that_a_manifest_of_their_agency_names() -> None:
    assert len(rows(agencies=["demo"])) == 3
    for name, agencies in (("sales", ["metro"]), ("live", ["demo"]), ("plain", ["demo"])):
        with pytest.raises(UnknownStatistic):
            read(name, agencies=agencies)


def test_scoped_user_sees_only_rows_of_their_agencies(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"shared": "landing.shared"})
    sql(
        "CREATE VIEW landing.shared AS SELECT *"
        " FROM (VALUES ('demo', 1), ('metro', 2), (NULL, 3)) AS t (agency_slug, n)"
    )
    assert [row[1] for row in rows("shared")] == [1, 2, 3]
    assert [row[1] for row in rows("shared", agencies=["metro"])] == [2]
    assert rows("shared", agencies=[]) == []
    assert rows("shared", {"agency_slug": "demo"}, agencies=["metro"]) == []
    assert [row[1] for row in rows("shared", {"agency_slug": "demo,metro"}, agencies=["metro"])] == [2]


def test_rows_of_a_view_are_as_of_its_last_refresh() -> None:
    [history] = sql("SELECT start_time FROM reporting.seeder_run_history")
    load(2, "INSERT INTO landing.sales VALUES ('2026-11-30', 'acme', 1, 5)")
    as_of = read().read.as_of
    assert (as_of.refreshed_at, as_of.stale) == (history[0], False)
    assert [(one.table, one.load_id, one.newer_loads) for one in as_of.tables] == [("landing.sales", 1, 1)]
    sql("UPDATE reporting.seeder_run_history SET start_time = now() - interval '2 days', finish_time = now()")
    assert read().read.as_of.stale


def test_rows_of_tables_and_plain_views_are_as_of_the_last_load() -> None:
    second = load(2, "INSERT INTO landing.sales VALUES ('2026-11-30', 'acme', 1, 5)")
    for name in ("live", "plain"):
        found = read(name).read
        assert [row[3] for row in found.rows] == [5, 3, 2, 1]
        assert (found.as_of.refreshed_at, found.as_of.stale) == (None, False)
        assert [(one.table, one.load_id, one.newer_loads) for one in found.as_of.tables] == [
            ("landing.sales", second, 0)
        ]


def test_plain_view_of_a_materialized_view_is_as_of_its_refresh(settings: Settings) -> None:
    change(settings, STATS_VIEWS={"over": "landing.over"})
    sql("CREATE VIEW landing.over AS SELECT * FROM reporting.mat_sales")
    load(2, "INSERT INTO landing.sales VALUES ('2026-11-30', 'acme', 1, 5)")
    [table] = read("over").read.as_of.tables
    assert (table.load_id, table.newer_loads) == (1, 1)


def test_view_that_was_not_refreshed_by_seeder_is_stale() -> None:
    sql("DELETE FROM reporting.seeder_run_history")
    as_of = read().read.as_of
    assert (as_of.refreshed_at, as_of.stale, list(as_of.tables)) == (None, True, [])


def test_roi_view_must_be_allowed(settings: Settings) -> None:
    assert current_roi_view() == "v_roi_full"
    change(settings, ROI_VIEW_NAME="load_log")
    with pytest.raises(InvalidROIViewError, match="ROI_VIEW_NAME is 'load_log', but must be one of .* mat_v_roi_full"):
        current_roi_view()
    with pytest.raises(InvalidROIViewError):
        read("roi")


def test_returns_are_those_of_the_live_table_or_the_configured_view(settings: Settings) -> None:
    assert [column.name for column in read("returns").read.columns][:3] == ["id", "return_id", "order_id"]
    change(settings, RETURNS_STATS_VIEW_NAME="mat_sales")
    assert str(read("returns").read.relation.view) == "reporting.mat_sales"


@pytest.fixture
def roi(settings: Settings) -> None:
    change(settings, ROI_VIEW_NAME="roi_view")
    sql(
        "CREATE VIEW reporting.roi_view AS SELECT * FROM"
        " (VALUES ('A', 'acme', 1.50), ('A', 'globex', 1.25), ('B', 'acme', 2)) AS t (asin, vendor, roi)"
    )


def test_scores_are_in_the_order_of_the_ids(roi: None) -> None:
    score = read_score(["B", "missing", "A", "B"], None)
    assert (score.id_column, score.not_found) == ("asin", ["missing"])
    assert [list(row) for row in score.read.rows] == [
        ["B", "acme", "2"],
        ["A", "acme", "1.50"],
        ["A", "globex", "1.25"],
    ]


def test_ids_are_compared_as_values_of_the_column(settings: Settings) -> None:
    change(settings, ROI_VIEW_NAME="roi_view")
    sql("CREATE VIEW reporting.roi_view AS SELECT n AS id FROM generate_series(1, 3) AS n")
    assert read_score(["02", "4"], None).not_found == ["4"]
    with pytest.raises(BadFilterValue, match="'id' must be a value of the type integer"):
        read_score(["two"], None)


def test_score_without_a_column_of_ids_is_a_fault_of_the_host(settings: Settings) -> None:
    change(settings, ROI_VIEW_NAME="roi_view")
    sql("CREATE VIEW reporting.roi_view AS SELECT 1 AS n")
    with pytest.raises(ScoreColumnMissing, match="SCORE_ID_COLUMNS is asin, sku, id, but must name a column .*: n"):
        read_score(["A"], None)
    change(settings, SCORE_ID_COLUMNS="n")
    assert read_score(["1"], None).not_found == []


def test_too_many_scored_rows_are_refused(settings: Settings) -> None:
    change(settings, ROI_VIEW_NAME="roi_view")
    sql("CREATE VIEW reporting.roi_view AS SELECT 1 AS id FROM generate_series(1, 5001)")
    with pytest.raises(TooManyScoredRows, match="more than 5000 rows"):
        read_score(["1"], None)


def test_scores_are_limited_to_the_agencies_of_the_user(settings: Settings) -> None:
    change(settings, ROI_VIEW_NAME="roi_view")
    sql(
        "CREATE VIEW reporting.roi_view AS SELECT *"
        " FROM (VALUES ('A', 'demo'), ('B', 'metro')) AS t (asin, agency_slug)"
    )
    score = read_score(["A", "B"], ["metro"])
    assert ([list(row) for row in score.read.rows], score.not_found) == ([["B", "metro"]], ["A"])


def test_columns_are_found_by_schema_and_table() -> None:
    assert (has_column("returns_raw", "vendor"), has_column("landing.sales", "vendor")) == (True, True)
    assert (has_column("landing.sales", "seller"), has_column("landing.nowhere", "vendor")) == (False, False)


def test_altered_view_is_read_with_its_new_columns() -> None:
    """A renamed column changes no row of pg_class, so the process still has the old name."""
    read("live")
    sql("ALTER TABLE landing.sales RENAME n TO m")
    assert [column.name for column in read("live").read.columns] == ["day", "vendor", "amount", "m"]
    sql("ALTER TABLE landing.sales ADD extra integer")
    assert [column.name for column in read("live").read.columns][-1] == "extra"


def test_columns_are_read_again_after_their_time() -> None:
    seconds = [0.0]
    known = ColumnCache(clock=lambda: seconds[0])
    relation = statistics.find_relation("default", "landing.sales")
    assert relation is not None
    known.columns_of("default", relation, ttl_s=300)
    sql("ALTER TABLE landing.sales RENAME n TO m")
    seconds[0] = 300 - 0.001
    assert known.columns_of("default", relation, ttl_s=300)[-1].name == "n"
    seconds[0] += 0.001
    assert known.columns_of("default", relation, ttl_s=300)[-1].name == "m"
