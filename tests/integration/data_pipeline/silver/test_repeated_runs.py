"""Which objects a run transforms, and how it is called. No run has Django."""

import json

import pytest

from tests.buckets import Bucket
from tests.integration.data_pipeline.silver.conftest import RunJob, objects_of
from tests.s3_gateway import Fault, open_gateway


def test_finished_objects_cost_list_requests_only(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    for number in range(5):
        bronze.put(f"10/{number}.csv", b"a\n1\n")
    assert run_job().returncode == 0
    with open_gateway(bronze.client.meta.endpoint_url) as gateway:
        ended = run_job(S3_ENDPOINT_URL=gateway.endpoint_url)
    assert ended.stdout == f"Objects at s3://{bronze.name}/10/: 5 finished before\n"
    assert {request.partition("?")[0] for request in gateway.requests} == {f"GET /{bronze.name}", f"GET /{silver.name}"}
    assert len(gateway.requests) == 2


def test_changed_object_is_another_artefact(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    bronze.put("10/b.csv", b"a\n1\n")
    run_job()
    bronze.put("10/a.csv", b"a\n2\n")
    bronze.put("10/b.csv", b"a\n1\n")  # the same content
    assert list(objects_of(run_job("--json"))) == ["a.csv"]
    contents = sorted((key.split("/")[1], content) for key, content in silver.contents().items())
    assert contents == [("a.csv", b"a\n1\n"), ("a.csv", b"a\n2\n"), ("b.csv", b"a\n1\n")]


def test_dry_run_reads_and_writes_nothing(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    with open_gateway(bronze.client.meta.endpoint_url) as gateway:
        ended = run_job("--dry-run", S3_ENDPOINT_URL=gateway.endpoint_url)
    assert ended.stdout.splitlines() == [
        f"s3://{bronze.name}/10/a.csv: due",
        f"Objects at s3://{bronze.name}/10/: 1 due",
    ]
    assert len(gateway.requests) == 2
    assert silver.keys() == []


def test_options_choose_objects(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    for key in ("10/", "10/a/1.csv", "10/a/2.csv", "10/b.csv", "100/c.csv", "11/d.csv"):
        bronze.put(key, b"a\n1\n" if key != "10/" else b"")
    assert list(objects_of(run_job("--json", "--limit", "1"))) == ["1.csv"]
    limited = json.loads(run_job("--json", "--limit", "1", "--prefix", "a/", "--dry-run").stdout)
    assert ([one["sourceUri"][-5:] for one in limited["objects"]], limited["hasMore"]) == (["2.csv"], False)
    assert list(objects_of(run_job("--json", "--prefix", "b"))) == ["b.csv"]
    assert list(objects_of(run_job("--json", "--force"))) == ["1.csv", "2.csv", "b.csv"]
    assert len(silver.keys()) == 3


def test_settings_replace_options(run_job: RunJob, bronze: Bucket, silver: Bucket) -> None:
    bronze.put("agency=10/a.csv", b"a\n1\n")
    ended = run_job("--json", DATA_PIPELINE_SOURCE_KEY_TEMPLATE="agency={agency_id}/")
    assert list(objects_of(ended)) == ["a.csv"]


@pytest.mark.parametrize(
    "program",
    [
        ("data_pipeline.cli.get_s3_files",),
        ("data_pipeline.cli.main", "run", "get_s3_files", "--"),
        ("data_pipeline.cli.main",),
        ("data_pipeline.cli.main", "data-pipeline-get-s3-files"),
    ],
)
def test_every_form_of_the_command_runs_the_job(program: tuple[str, ...], run_job: RunJob, bronze: Bucket) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    ended = run_job(program=program)
    assert (ended.returncode, ended.stdout.count("1 written")) == (0, 1), ended.stderr


def test_help_and_list_need_no_django(run_job: RunJob) -> None:
    assert "--destination-bucket BUCKET" in run_job("--help").stdout
    ended = run_job(program=("data_pipeline.cli.main", "list"))
    assert "get_s3_files   Transform the objects of an agency from bronze to silver." in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--limit", "0"), "argument --limit: must be a whole number of at least 1, not '0'"),
        (("--agency-id", "../11"), "'../11' is not the id of an agency"),
        (
            ("--source-bucket", ""),
            "No source bucket is given. Use --source-bucket, or set DATA_PIPELINE_SOURCE_BUCKET.",
        ),
        (("--source-bucket", "a b/c"), "'a b/c' is not the name of a bucket"),
        (("--source-bucket", "nowhere-1"), "There is no bucket nowhere-1 at http"),
        (("--destination-bucket", "nowhere-2"), "There is no bucket nowhere-2 at http"),
        (("--dialect", "nothing"), "There is no dialect 'nothing'."),
    ],
)
def test_wrong_request_is_one_line_and_exit_code_2(arguments: tuple[str, ...], line: str, run_job: RunJob) -> None:
    ended = run_job(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    [printed] = ended.stderr.splitlines()
    assert line in printed


def test_one_bucket_for_both_is_refused(run_job: RunJob, bronze: Bucket) -> None:
    ended = run_job("--destination-bucket", bronze.name)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot be both source and destination" in ended.stderr


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_unavailable_store_ends_the_run_without_an_object(
    method: str, run_job: RunJob, bronze: Bucket, silver: Bucket
) -> None:
    bronze.put("10/a.csv", b"a\n1\n")
    with open_gateway(bronze.client.meta.endpoint_url) as gateway:
        if method == "PUT":
            gateway.faults += [Fault(method=method, status=503, code="SlowDown", headers={"Retry-After": "0"})] * 9
        else:
            gateway.faults += [Fault(method=method, status=403, code="InvalidAccessKeyId")]
        ended = run_job(S3_ENDPOINT_URL=gateway.endpoint_url)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert silver.keys() == []
