"""What the job writes for the objects of an agency."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.storage.zstd import zstd
from tests.buckets import Bucket
from tests.integration.data_pipeline.silver.conftest import RunJob, objects_of

RATES = "Base;Currency;Exchange Rate;Date;source\r\n eur ;usd;1,0912;02.01.2026;ECB\r\nEUR;chf;0,95;2026-01-03;\r\n"
RATES_TOML = """
delimiter = ";"
decimal_mark = ","
null_words = ["n/a"]
[columns.base_currency]
aliases = ["base"]
required = true
rule = "upper"
[columns.quote_currency]
aliases = ["currency"]
rule = "upper"
[columns.rate]
aliases = ["exchange rate"]
rule = "decimal"
[columns.valid_on]
aliases = ["date"]
rule = "date"
formats = ["%d.%m.%Y"]
"""


@pytest.fixture
def dialect(tmp_path: Path) -> str:
    path = tmp_path / "ecb.toml"
    path.write_text(RATES_TOML)
    return str(path)


def test_object_gets_canonical_names_values_and_separators(
    run_job: RunJob, bronze: Bucket, silver: Bucket, dialect: str
) -> None:
    bronze.put("10/2026/rates.csv", RATES.encode())
    ended = run_job("--dialect", dialect, "--json")
    assert ended.returncode == 0, ended.stderr
    [written] = objects_of(ended).values()
    key = written["silverUri"].removeprefix(f"s3://{silver.name}/")
    etag = bronze.client.head_object(Bucket=bronze.name, Key="10/2026/rates.csv")["ETag"].strip('"')
    assert key == f"10/2026/rates.csv/{etag}.csv"
    content = silver.get(key)
    assert content == b"base_currency,quote_currency,rate,valid_on,source\nEUR,USD,1.0912,2026-01-02,ECB\n"
    assert (written["rows"], written["rejects"], written["dialect"]) == (1, 1, "ecb")
    metadata = silver.client.head_object(Bucket=silver.name, Key=key)["Metadata"]
    assert metadata["content-sha256"] == hashlib.sha256(content).hexdigest()
    assert (metadata["source-etag"], metadata["rows"], metadata["rejects"]) == (etag, "1", "1")
    assert len(metadata["load-key"]) == 64
    assert metadata["rules"].startswith("1-")


def test_refused_records_are_kept_with_line_column_reason_and_bytes(
    run_job: RunJob, bronze: Bucket, silver: Bucket, dialect: str
) -> None:
    bronze.put("10/rates.csv", RATES.encode() + b"EUR;GBP;0,9\r\n")
    [written] = objects_of(run_job("--dialect", dialect, "--json")).values()
    key = written["rejectsUri"].removeprefix(f"s3://{silver.name}/")
    assert key.startswith("_rejects/10/rates.csv/")
    refused = [json.loads(line) for line in silver.get(key).splitlines()]
    assert [(one["lineNo"], one["recordNo"], one["raw"]) for one in refused] == [
        (3, 2, "EUR;chf;0,95;2026-01-03;"),
        (4, 3, "EUR;GBP;0,9"),
    ]
    [problem] = refused[0]["problems"]
    assert (problem["column"], problem["value"]) == ("valid_on", "2026-01-03")
    assert problem["reason"].startswith("unknown_date_format: ")
    assert "the record has 3 fields, but the header has 5" in refused[1]["problems"][0]["reason"]


def test_personal_values_are_neither_in_silver_nor_in_rejects(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    header = "RMA,Order,Return Date,SKU,Qty,Buyer,Comments\n"
    bronze.put("10/returns.csv", f"{header}1,2,2026-01-02,a-1,1,Ann Lee,broken\n2,3,soon,a-1,1,Bob Ray,late\n".encode())
    ended = run_job("--json", DATA_PIPELINE_PII_HASH_KEY="a-key-of-16-bytes")
    [written] = objects_of(ended).values()
    assert (written["dialect"], written["rows"], written["rejects"]) == ("returns_report", 1, 1)
    texts = b"".join(silver.contents().values())
    assert texts.count(b"A-1") == 1
    assert not any(word in texts for word in (b"Ann", b"Bob", b"broken", b"late"))


def test_every_format_and_encoding_becomes_utf8(
    run_job: RunJob, bronze: Bucket, silver: Bucket, tmp_path: Path
) -> None:
    (tmp_path / "dialects").mkdir()
    (tmp_path / "west.toml").write_text('encoding = "cp1252"\n[columns.name]\nrule = "trim"\n')
    bronze.put("10/a.csv", "name,city\n Zoë ,Köln\n".encode("cp1252"))
    bronze.put("10/b.csv.gz", gzip.compress("name\tcity\r\nZoë\tKöln\r\n".encode()))
    bronze.put("10/c.csv", "\ufeffname,city\rZoë,Köln\r".encode())
    assert run_job("--prefix", "a", "--dialect", str(tmp_path / "west.toml")).returncode == 0
    bronze.put("10/d.csv.zst", zstd.compress("name;city\nZoë;Köln\n".encode()))
    assert run_job("--prefix", "b", DATA_PIPELINE_SILVER_COMPRESSION="gzip").returncode == 0
    ended = run_job("--json", DATA_PIPELINE_SILVER_COMPRESSION="zstd")
    assert json.loads(ended.stdout)["finished"] == 2, ended.stderr
    suffixes = {"a.csv": "csv", "b.csv.gz": "gz", "c.csv": "zst", "d.csv.zst": "zst"}
    unpack: dict[str, Callable[[bytes], bytes]] = {"csv": bytes, "gz": gzip.decompress, "zst": zstd.decompress}
    written = {key.split("/")[1]: (key.rpartition(".")[2], content) for key, content in silver.contents().items()}
    assert {name: suffix for name, (suffix, _) in written.items()} == suffixes
    assert {unpack[suffix](content) for suffix, content in written.values()} == {"name,city\nZoë,Köln\n".encode()}
    assert run_job("--dry-run").stdout.endswith(": 4 finished before\n")


def test_unusual_records_are_normalized_between_copied_chunks(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    row = "sku-{0},price,{0}.50\n"
    rows = [row.format(number) for number in range(60_000)]
    rows[30_000] = '"sku ""x""\nnext line",price,1\n'
    bronze.put("10/large.csv", ("sku,kind,price\n" + "".join(rows)).encode())
    ended = run_job("--json", INGEST_STREAMING_CHUNK_SIZE_MB="1")
    [written] = objects_of(ended).values()
    assert (written["rows"], written["rejects"]) == (60_000, 0)
    [key] = silver.keys()
    assert silver.get(key).decode() == "sku,kind,price\n" + "".join(rows)


def test_object_without_a_good_record_fails_and_others_are_written(
    run_job: RunJob, bronze: Bucket, silver: Bucket, dialect: str
) -> None:
    bronze.put("10/bad.csv", b"base;date\nEUR;never\n")
    bronze.put("10/empty.csv", b"")
    bronze.put("10/good.csv", b"base;date\nEUR;02.01.2026\n")
    bronze.put("10/header.csv", b"base;date\n")
    bronze.put("10/other.csv", b"name\nx\n")
    ended = run_job("--dialect", dialect, "--json")
    assert ended.returncode == 1
    found = objects_of(ended)
    assert {name: one["outcome"] for name, one in found.items()} == {
        "bad.csv": "failed",
        "empty.csv": "failed",
        "good.csv": "written",
        "header.csv": "written",
        "other.csv": "failed",
    }
    assert (
        "1 of 1 records were refused, but one must be left. The first one is in line 2: valid_on"
        in (found["bad.csv"]["error"])
    )
    assert "missing column 'base_currency'" in found["other.csv"]["error"]
    assert [key.split("/")[1] for key in silver.contents()] == ["good.csv", "header.csv"]


def test_full_temporary_folder_fails_the_object(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/large.csv", b"a,b\n" + b"12345678,12345678\n" * 400_000)
    bronze.put("10/small.csv", b"a,b\n1,2\n")
    ended = run_job("--json", LARGEST_FILE="1000000")
    assert ended.returncode == 1
    assert "the temporary folder " in objects_of(ended)["large.csv"]["error"]
    assert "cannot be written (File too large). Free space there" in objects_of(ended)["large.csv"]["error"]
    assert [key.split("/")[1] for key in silver.contents()] == ["small.csv"]


def test_key_that_is_too_long_with_its_version_fails_the_object(
    run_job: RunJob, bronze: Bucket, silver: Bucket
) -> None:
    name = "k" * 1000
    bronze.put(f"10/{name}", b"a\n1\n")
    assert "its key in silver would have 1,05" in objects_of(run_job("--json"))[name]["error"]
    assert silver.keys() == []
