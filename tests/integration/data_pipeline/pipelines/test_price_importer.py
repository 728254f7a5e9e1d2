"""The pipeline of price lists, with files, workbooks and objects of a bucket."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_pipeline import load_file, price_importer
from data_pipeline.errors import HeaderRefused, PipelineError, TooManyRejects
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.pipelines.errors import BadVendor
from data_pipeline.pipelines.models import Vendor, VendorPrice
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from data_pipeline.pipelines.price_importer import import_prices
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql
from tests.integration.data_pipeline.metric_samples import samples
from tests.unit.data_pipeline.storage.made_workbooks import made_xlsx, texts

pytestmark = pytest.mark.usefixtures("pipeline_tables")
LIST = "Article;Unit Price;Currency;Date\na-1;€ 1.50;eur;2026-11-01\na-2;1,200;EUR;2026-11-01\n"


@pytest.fixture
def price_list(tmp_path: Path) -> Callable[[str], str]:
    """Write a price list: `price_list(text)`. Each version of the file has another size or time."""
    dialect = tmp_path / "shop_prices.toml"
    own = 'delimiter = ";"\n'
    dialect.write_text(own + Path("data_pipeline/domain/dialect_files/prices.toml").read_text())

    def write(text: str = LIST) -> str:
        path = tmp_path / "prices.csv"
        path.write_text(text)
        return os.fspath(path)

    return write


def imported(path: str, vendor: str = "ACME", **options: Any) -> PipelineRun:
    dialect = os.fspath(Path(path).parent / "shop_prices.toml")
    return import_prices(path, vendor=vendor, **{"dialect": dialect, **options})


def prices() -> list[tuple[object, ...]]:
    return list(sql("SELECT vendor, sku, price::text, currency, valid_from::text FROM prices ORDER BY 1, 2"))


def test_price_list_is_loaded_once_for_each_vendor(price_list: Callable[..., str]) -> None:
    path = price_list()
    first, again, other = imported(path), imported(path), imported(path, "Zeta")
    assert (first.counts.rows_inserted, again.is_skipped, other.counts.rows_inserted) == (2, True, 2)
    assert prices()[:2] == [
        ("ACME", "A-1", "1.5000", "EUR", "2026-11-01"),
        ("ACME", "A-2", "1200.0000", "EUR", "2026-11-01"),
    ]
    assert set(Vendor.objects.values_list("code", flat=True)) == {"ACME", "Zeta"}
    assert VendorPrice.objects.filter(vendor__code="Zeta").count() == 2
    load = LoadLog.objects.order_by("id")[0]
    counters = {"rows": 2, "rows_upserted": 2, "rows_unchanged": 0, "rows_rejected": 0}
    assert {name: load.payload_meta[name] for name in ("vendor", *counters)} == {"vendor": "ACME", **counters}
    assert (load.source, load.target, len(load.content_blake2b or "")) == ("price_importer", "public.prices", 64)


def test_changed_list_or_another_key_is_loaded_again(price_list: Callable[..., str]) -> None:
    imported(price_list())
    changed = imported(price_list(LIST.replace("1.50", "1.755")))
    repeated = imported(price_list(), key="a" * 64)
    assert (changed.counts.rows_updated, changed.counts.rows_unchanged) == (1, 1)
    assert (repeated.counts.rows_updated, prices()[0][2]) == (1, "1.5000")


def test_bad_rows_are_kept_with_their_reasons(price_list: Callable[..., str]) -> None:
    bad = ["b-1;one;EUR;2026-11-01", "b-2;1;EURO;2026-11-01", "b-3;-1;EUR;2026-11-01", "b-4;1;EUR;1.11.", "b-5;1"]
    path = price_list(LIST + "\n".join([*bad, "a-1;2;EUR;2026-11-01"]))
    with pytest.raises(TooManyRejects, match="is record 3: not_a_number"):
        imported(path)
    assert (prices(), Vendor.objects.count(), LoadReject.objects.count()) == ([], 0, 5)
    counts = imported(path, max_rejects=6).counts
    assert (counts.rows_in, counts.rows_inserted, counts.rows_rejected) == (8, 2, 6)
    kept = {one.record_no: one for one in LoadReject.objects.all()}
    assert {number: one.problems[0]["column"] for number, one in kept.items()} == {
        3: "price", 4: "currency", 5: "price", 6: "valid_from", 7: None, 8: None,
    }  # fmt: skip
    assert json.loads(bytes(kept[4].raw)) == {
        "sku": "B-2",
        "price": "1",
        "currency": "EURO",
        "valid_from": "2026-11-01",
    }
    assert json.loads(bytes(kept[7].raw)) == {"record": "b-5;1"}
    found = samples()
    assert found["etl_row_normalized_total", "price_importer"] >= 8
    assert found["etl_normalize_errors_total", "price_importer", "not_a_number"] == 2


def test_column_of_the_vendor_must_agree(price_list: Callable[..., str]) -> None:
    text = "Supplier;Item;Cost;Currency code;Valid on\nACME;a;1;EUR;2026-11-01\nOther;b;1;EUR;2026-11-01\n"
    counts = imported(price_list(text), max_rejects=1).counts
    assert (counts.rows_inserted, counts.rows_rejected) == (1, 1)
    assert LoadReject.objects.get().problems[0]["reason"] == "vendor must be 'ACME', or absent"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("Article;Unit Price;Currency\n", "missing column 'valid_from'"),
        ("Article;Unit Price;Currency;Date;Colour\n", "unknown column 'Colour'"),
    ],
)
def test_unusable_file_is_one_line_and_leaves_nothing(price_list: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message) as raised:
        imported(price_list(text))
    assert "\n" not in str(raised.value)
    assert (prices(), Vendor.objects.count(), LoadLog.objects.get().status) == ([], 0, "failed")


@pytest.mark.parametrize("vendor", ["", " ACME", "A\nB", "x" * 65])
def test_bad_vendor_is_refused_without_a_load(price_list: Callable[..., str], vendor: str) -> None:
    with pytest.raises(BadVendor):
        imported(price_list(), vendor)
    assert not LoadLog.objects.exists()


def test_workbook_and_object_are_read_as_well(tmp_path: Path, bucket: Bucket, s3_settings: dict[str, str]) -> None:
    sheet = texts(1, "sku", "price", "currency", "valid_from") + texts(2, "w-1", "2.5", "EUR", "2026-11-01")
    book = made_xlsx(tmp_path / "prices.xlsx", sheet)
    assert import_prices(os.fspath(book), vendor="ACME").counts.rows_inserted == 1
    uri = bucket.put("lists/acme.csv", b"sku,price,currency,valid_from\nw-2,3,EUR,2026-11-01\n")
    assert import_prices(uri, vendor="ACME").counts.rows_inserted == 1
    assert import_prices(uri, vendor="ACME").is_skipped
    assert [row[1] for row in prices()] == ["W-1", "W-2"]


def test_module_form_runs_the_import(price_list: Callable[..., str], manage: Callable[..., CompletedCommand]) -> None:
    path = price_list(LIST.replace(";", ",").replace("1,200", "1200"))
    assert price_importer.main(["--file", path, "--vendor", "ACME"]) == 0
    assert len(prices()) == 2
    again = manage("import_prices", "--file", path, "--vendor", "ACME", "--json")
    assert (again.exit_code, again.document["status"]) == (0, "skipped")
    assert manage("import_prices", "--file", "missing.csv", "--vendor", "ACME").exit_code == 2


def test_bulk_load_of_many_vendors_fills_the_same_table(tmp_path: Path) -> None:
    Vendor.objects.create(code="ACME")
    path = tmp_path / "all.csv"
    path.write_text(
        "vendor,sku,price,currency,valid_from\nACME,a,1,EUR,2026-11-01\nACME,b,-1,EUR,2026-11-01\nZeta,c,1,EUR,2026-11-01\n"
    )
    loaded = load_file(str(path), dialect="prices", max_rejects=2)
    assert (loaded.target, loaded.counts.rows_inserted, loaded.counts.rows_rejected) == ("public.prices", 1, 2)
    with pytest.raises(HeaderRefused):
        load_file(str(path), table="rates", force=True)
