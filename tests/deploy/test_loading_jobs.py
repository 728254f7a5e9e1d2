"""The Kubernetes jobs of the loading lane, run with their arguments against object storage."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from data_pipeline import load_file
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadRequest
from tests.buckets import Bucket
from tests.conftest import CHECKOUT, process_environment, sql
from tests.deploy.examples import DOCKERFILE, MANIFESTS, PODS, image_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JOBS = {
    manifest["metadata"]["name"]: manifest["spec"]
    for manifest in MANIFESTS
    if manifest["kind"] == "Job" and image_of(PODS[manifest["metadata"]["name"]]["containers"][0]) == "data-pipeline"
}
ACCOUNTS = {manifest["metadata"]["name"] for manifest in MANIFESTS if manifest["kind"] == "ServiceAccount"}
RunPod = Callable[..., "subprocess.CompletedProcess[str]"]
RETURNS = b"return_id,order_id,returned_on,sku,quantity\nR1,O1,2026-11-02,a-1,1\n"


@pytest.fixture
def silver(s3_client: "S3Client") -> Bucket:
    name = f"silver-{uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return Bucket(name=name, client=s3_client)


def command_of(name: str) -> list[str]:
    """Return the command of a pod: its own or the image's entry point, with its arguments."""
    [container] = PODS[name]["containers"]
    entry_points: dict[str, str] = dict(
        re.findall(r'^FROM runtime AS (\S+)\nUSER .*\nENTRYPOINT \["(.+)"\]$', DOCKERFILE, re.MULTILINE)
    )
    return [*container.get("command", [entry_points[image_of(container)]]), *container["args"]]


@pytest.fixture
def run_pod(bucket: Bucket, silver: Bucket, s3_settings: dict[str, str], tmp_path: Path) -> RunPod:
    """Run the command of a pod with the buckets of the test, and with the settings of the ConfigMap."""
    [configuration] = [manifest["data"] for manifest in MANIFESTS if manifest["kind"] == "ConfigMap"]
    names = {"bronze": bucket.name, "silver": silver.name}
    environment = {
        **{setting: names.get(value, value) for setting, value in configuration.items()},
        **s3_settings,
        "PATH": os.pathsep.join([os.fspath(Path(sys.prefix) / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": os.fspath(CHECKOUT),
        "TMPDIR": os.fspath(tmp_path),
    }

    def run(name: str, *, index: int = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [re.sub("bronze|silver", lambda found: names[found[0]], argument) for argument in command_of(name)],
            cwd=tmp_path,
            env={**environment, "JOB_COMPLETION_INDEX": str(index), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("get-s3-files", ["10/2026-11/returns.csv", "10/a.csv"]),
        ("normalize-agency", ["10/2026-11/returns.csv"]),
        ("get-s3-files-indexed", ["10/2026-11/returns.csv", "10/a.csv", "11/a.csv", "14/a.csv"]),
    ],
)
def test_pods_of_a_job_write_the_objects_of_its_agencies(
    name: str, written: list[str], run_pod: RunPod, bucket: Bucket, silver: Bucket
) -> None:
    for agency in (10, 11, 12, 14):
        bucket.put(f"{agency}/a.csv", b"a\n1\n")
    bucket.put("10/2026-11/returns.csv", RETURNS)
    for index in range(JOBS[name].get("completions", 1)):
        ended = run_pod(name, index=index)
        assert ended.returncode == 0, ended.stderr
    assert [key.rpartition("/")[0] for key in sorted(silver.keys())] == written


def test_indexed_job_fails_for_an_index_without_agency(run_pod: RunPod, silver: Bucket) -> None:
    assert run_pod("get-s3-files-indexed", index=JOBS["get-s3-files-indexed"]["completions"]).returncode != 0
    assert silver.keys() == []


@pytest.mark.slow
@pytest.mark.usefixtures("load_tables", "empty_queue")
def test_scatter_job_leaves_the_objects_to_the_workers(run_pod: RunPod, bucket: Bucket, silver: Bucket) -> None:
    for number in range(3):
        bucket.put(f"10/{number}.csv", b"a\n1\n")
    for _ in range(2):  # the second pod queues nothing twice
        ended = run_pod("scatter-agency", **database_variables())
        assert ended.returncode == 0, ended.stderr
    assert LoadRequest.objects.count() == 3
    assert silver.keys() == []


@pytest.mark.slow
@pytest.mark.usefixtures("load_tables")
def test_cron_job_replays_the_dead_letters_that_are_due(run_pod: RunPod, bucket: Bucket) -> None:
    sql("CREATE TABLE landing.returns (return_id text PRIMARY KEY, quantity integer)")
    for key, quantity in (("due", b"many"), ("later", b"few")):
        bucket.put(f"{key}.csv", b"return_id,quantity\nR1," + quantity + b"\n")
        with pytest.raises(PipelineError):
            load_file(f"s3://{bucket.name}/{key}.csv", table="landing.returns")
    sql("UPDATE load_log SET updated_at = updated_at - interval '1 day' WHERE id = 1")
    bucket.put("due.csv", b"return_id,quantity\nR1,1\n")
    ended = run_pod("replay-dead-letters", **database_variables())
    assert (ended.returncode, ended.stdout) == (0, "load 1: resolved (load 3)\n"), ended.stderr


def database_variables() -> dict[str, str]:
    environment = process_environment()
    return {name: environment[name] for name in environment if name.startswith(("DB_", "DJANGO_"))}


@pytest.mark.parametrize("name", JOBS)
def test_job_is_repeated_once_by_another_pod(name: str) -> None:
    limits = {key: value for key, value in JOBS[name].items() if key.startswith("backoff")}
    assert limits in ({"backoffLimit": 1}, {"backoffLimitPerIndex": 1})
    assert PODS[name]["restartPolicy"] == "Never"


@pytest.mark.parametrize("name", [*JOBS, "queue", "replay-dead-letters"])
def test_pods_that_use_buckets_have_a_role_and_no_keys(name: str) -> None:
    assert PODS[name]["serviceAccountName"] in ACCOUNTS
    assert "env" not in PODS[name]["containers"][0]


def test_no_manifest_sets_credentials_of_object_storage() -> None:
    names = {name for manifest in MANIFESTS for part in ("data", "stringData") for name in manifest.get(part, {})}
    assert not [name for name in names if re.search("ACCESS_KEY|SESSION_TOKEN", name)]
