"""Columns that a transform adds from a reference."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.buckets import Bucket
from tests.integration.data_pipeline.silver.conftest import RunJob, objects_of

WriteDialect = Callable[..., str]
ORDERS = b"SKU,quantity\n a-1 ,2\nb-2,1\n,7\nc-3,1\n"
ARTICLES = b'article;group;note\nA-1;tools;x\nB-2;"toys, games";y\nD-4;;z\n'


@pytest.fixture
def write_dialect(tmp_path: Path) -> WriteDialect:
    """Write a dialect whose lookup has these further keys. Return its path."""

    def write(reference: str, *keys: str) -> str:
        lookup = [f"reference = '{reference}'", "column = 'sku'", "match = 'article'", "take = 'group'", *keys]
        path = tmp_path / "orders.toml"
        path.write_text("[columns.sku]\nrule = 'upper'\n[lookups.category]\n" + "\n".join(lookup))
        return str(path)

    return write


def test_records_get_the_value_of_the_reference(
    run_job: RunJob, bronze: Bucket, silver: Bucket, write_dialect: WriteDialect
) -> None:
    bronze.put("10/orders.csv", ORDERS)
    reference = bronze.put("reference/articles.csv", ARTICLES)
    ended = run_job("--json", "--dialect", write_dialect(reference, "missing = 'null'"))
    assert objects_of(ended)["orders.csv"]["rejects"] == 0
    [(key, content)] = silver.contents().items()
    assert content == b'sku,quantity,category\nA-1,2,tools\nB-2,1,"toys, games"\n,7,\nC-3,1,\n'
    before = silver.client.head_object(Bucket=silver.name, Key=key)["Metadata"]["rules"]
    bronze.put("reference/articles.csv", ARTICLES.replace(b"tools", b"hammers"))
    run_job("--force", "--dialect", write_dialect(reference, "missing = 'null'"))
    assert b"A-1,2,hammers" in silver.get(key)
    assert silver.client.head_object(Bucket=silver.name, Key=key)["Metadata"]["rules"] != before


def test_record_without_a_reference_is_refused_by_default(
    run_job: RunJob, bronze: Bucket, silver: Bucket, write_dialect: WriteDialect, tmp_path: Path
) -> None:
    bronze.put("10/orders.csv", ORDERS)
    (tmp_path / "articles.csv").write_bytes(ARTICLES)
    ended = run_job("--json", "--dialect", write_dialect(str(tmp_path / "articles.csv")))
    assert (objects_of(ended)["orders.csv"]["rows"], objects_of(ended)["orders.csv"]["rejects"]) == (3, 1)
    [refused] = [content for key, content in silver.contents().items() if key.startswith("_rejects/")]
    assert b'"column": "sku"' in refused
    assert b"not_in_reference: " in refused
    assert b'"value": "c-3"' in refused


@pytest.mark.parametrize(
    ("articles", "error"),
    [
        (None, "There is no file"),
        (b"article,kind\n", "it must have one column 'group', but has 'article', 'kind'"),
        (b"article,group\nA,1\nA,2\n", "it has several values for 'A'"),
        (b"article,group\nA\n", "record 1 is malformed"),
    ],
)
def test_bad_reference_fails_the_object(  # noqa: PLR0913, PLR0917  # fixtures
    articles: bytes | None, error: str, run_job: RunJob, bronze: Bucket, write_dialect: WriteDialect, tmp_path: Path
) -> None:
    bronze.put("10/orders.csv", ORDERS)
    if articles is not None:
        (tmp_path / "articles.csv").write_bytes(articles)
    ended = run_job("--json", "--dialect", write_dialect(str(tmp_path / "articles.csv")))
    assert ended.returncode == 1
    assert error in objects_of(ended)["orders.csv"]["error"]


@pytest.mark.parametrize(
    ("orders", "error"),
    [
        (b"quantity\n1\n", "missing column 'sku', which is looked up"),
        (b"sku,category\na,b\n", "'category' is added by a lookup"),
    ],
)
def test_header_must_fit_the_lookups(  # noqa: PLR0913, PLR0917  # fixtures
    orders: bytes, error: str, run_job: RunJob, bronze: Bucket, write_dialect: WriteDialect, tmp_path: Path
) -> None:
    bronze.put("10/orders.csv", orders)
    (tmp_path / "articles.csv").write_bytes(ARTICLES)
    ended = run_job("--json", "--dialect", write_dialect(str(tmp_path / "articles.csv")))
    assert error in objects_of(ended)["orders.csv"]["error"]


def test_table_of_a_lookup_needs_a_database(run_job: RunJob, bronze: Bucket, tmp_path: Path) -> None:
    bronze.put("10/orders.csv", ORDERS)
    lookup = "[columns.sku]\n[lookups.category]\ncolumn = 'sku'\ntable = 'landing.articles'\n"
    (tmp_path / "orders.toml").write_text(lookup)
    ended = run_job("--json", "--dialect", str(tmp_path / "orders.toml"))
    assert ended.returncode == 1
    assert objects_of(ended)["orders.csv"]["error"] == (
        "The lookup category reads the table landing.articles, but there are no Django settings. Set"
        " DJANGO_SETTINGS_MODULE, or name a file as its reference."
    )
