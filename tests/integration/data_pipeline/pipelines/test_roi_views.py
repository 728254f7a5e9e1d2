"""Each load of a pipeline refreshes exactly the views that read its table, also through a plain view."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection

from data_pipeline.domain.refresh_dispatches import RefreshDispatch, RefreshOutcome
from data_pipeline.pipelines.fees_h10 import refresh_fees
from data_pipeline.pipelines.logistics_etl import run_logistics_etl
from data_pipeline.pipelines.price_importer import import_prices
from data_pipeline.services.load_file import load_file
from data_pipeline.services.stats.reading import StatisticRequest, read_score, read_statistic
from demo import market
from demo.market_api import serving
from seeder.domain.refresh_requests import AllReports
from seeder.models import QueuedRefresh, RunHistory
from seeder.services.queue.part_execution import run_part
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, sql

ROI, FEES, RETURNS = (f"reporting.{name}" for name in ("mat_v_roi_full", "mat_fees_expanded", "mat_returns_agg"))


@pytest.fixture(autouse=True)
def installed_market(pipeline_tables: None, empty_queue: None) -> None:
    """The views of the marketplace, all empty."""
    assert market.install(connection) == 3
    execute_run(AllReports())
    assert {one: rows(one) for one in (ROI, FEES, RETURNS)} == {ROI: 0, FEES: 0, RETURNS: 0}


def rows(view: str) -> int:
    return int(sql(f"SELECT count(*) FROM {view}")[0][0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    load: Callable[[], RefreshDispatch | None]
    views: set[str]


def load_fees() -> RefreshDispatch | None:
    with serving():
        return refresh_fees(["DESK-1", "LAMP-1", "LAMP-2"]).refresh


def load_freight() -> RefreshDispatch | None:
    with serving():
        return run_logistics_etl().refresh


def load_prices() -> RefreshDispatch | None:
    return import_prices(os.fspath(market.DATA / "acme.csv"), vendor="acme").refresh


def load_returns() -> RefreshDispatch | None:
    return load_file(os.fspath(market.DATA / "returns.csv"), dialect="returns_report").refresh


LOADS = {
    "fees": Case(load=load_fees, views={ROI, FEES}),
    "freight": Case(load=load_freight, views={ROI}),
    "prices": Case(load=load_prices, views={ROI}),
    "returns": Case(load=load_returns, views={ROI, RETURNS}),
}


def run_queue() -> set[str]:
    """Run the queued parts, as a worker does. Return the refreshed views."""
    known = set(RunHistory.objects.values_list("id", flat=True))
    for part in QueuedRefresh.objects.unfinished():
        run_part(part.pk)
    return set(RunHistory.objects.exclude(id__in=known).values_list("table_name", flat=True))


@pytest.mark.parametrize("name", LOADS)
def test_load_refreshes_exactly_the_views_of_its_table(name: str) -> None:
    refresh = LOADS[name].load()
    assert refresh is not None
    assert (refresh.outcome, set(refresh.views)) == (RefreshOutcome.QUEUED, LOADS[name].views)
    assert run_queue() == LOADS[name].views


@pytest.mark.slow
def test_repeated_load_requests_no_refresh() -> None:
    for one in LOADS.values():
        one.load()
    run_queue()
    assert [one.load() for name, one in LOADS.items() if name != "freight"] == [None] * 3
    assert load_freight() is None  # the server has another port, so the rates are loaded, but all unchanged
    assert run_queue() == set()


@pytest.mark.slow
def test_views_have_the_loaded_rows() -> None:
    for one in LOADS.values():
        one.load()
    run_queue()
    columns = "asin, cost::text, fees::text, freight::text, returned_units, roi::text"
    assert sql(f"SELECT {columns} FROM {ROI} ORDER BY asin") == [
        ("DESK-1", "64.9000", "30.5500", "0.8500", 1, "0.5039"),
        ("LAMP-1", "8.2000", "6.0900", "0.8500", 3, "0.5805"),
        ("LAMP-2", "12.0000", "7.1400", "0.8500", 0, "0.4092"),
    ]
    assert (rows(FEES), rows(RETURNS)) == (6, 2)


@pytest.mark.slow
def test_statistics_of_the_market_have_its_loads() -> None:
    for one in LOADS.values():
        one.load()
    roi = read_statistic(StatisticRequest(name="roi", agencies=None, filters={"asin": "DESK-1,LAMP-1"})).read
    assert (str(roi.relation.view), [row[1] for row in roi.rows]) == ("reporting.v_roi_full", ["DESK-1", "LAMP-1"])
    assert {table.table: table.load_id for table in roi.as_of.tables} == {
        "public.fees": 1,
        "public.freight_rates": 2,
        "public.prices": 3,
        "public.returns_raw": 4,
    }
    returns = read_statistic(StatisticRequest(name="returns", agencies=None, filters={"sku": "LAMP-1"})).read
    assert (len(returns.rows), [table.load_id for table in returns.as_of.tables]) == (2, [4])
    score = read_score(["LAMP-2", "LAMP-9"], None)
    assert (score.id_column, score.not_found, score.read.rows[0][1]) == ("asin", ["LAMP-9"], "LAMP-2")


@pytest.mark.slow
def test_demo_of_the_market_can_be_loaded_again(manage: Callable[..., CompletedCommand]) -> None:
    first, second = manage("load_market"), manage("load_market")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "public.prices: 4 records, 4 inserted (load 1)" in first.lines
    assert second.lines[0] == "0 rows of manifests written."
    assert "fees_h10: loaded before, so nothing was changed" in second.lines
    assert any(line.startswith("public.freight_rates: 3 records, 3 unchanged (load") for line in second.lines)
