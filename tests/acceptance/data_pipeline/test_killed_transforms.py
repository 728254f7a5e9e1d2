"""Jobs that are killed with SIGKILL: each object of silver is complete or absent, and `load_log` agrees.

DATA_PIPELINE_TRANSFORM_KILLS is the number of kills at random moments (default: 4; `make soak` sets 100).
"""

import os
import random
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from data_pipeline.models import LoadLog
from data_pipeline.services.recovery import recover_loads
from tests.buckets import Bucket
from tests.conftest import CHECKOUT, process_environment
from tests.polling import eventually
from tests.s3_gateway import Gateway, open_gateway

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KILLS = int(os.environ.get("DATA_PIPELINE_TRANSFORM_KILLS", "4"))
REQUESTS = 17  # of a run that transforms all objects; there are more than one for the parts of a large one
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("load_tables")]


class Scene:
    """Objects of bronze, whose contents in silver are known."""

    def __init__(self, bronze: Bucket, silver: Bucket) -> None:
        self.bronze, self.silver = bronze, silver
        self.expected: dict[str, bytes] = {}  # by key in silver

    def put_new_versions(self, choices: random.Random) -> None:
        note = f"{choices.random()}"
        for name, rows in {"a": 10, "b": 500_000, "c": 1000, "d": 1}.items():  # b is written in two parts
            records = "".join(f"{number},{note}\n" for number in range(rows))
            self.bronze.put(f"10/{name}.csv", f"n;note\n{records.replace(',', ';')}".encode())
            etag = self.bronze.client.head_object(Bucket=self.bronze.name, Key=f"10/{name}.csv")["ETag"].strip('"')
            self.expected[f"10/{name}.csv/{etag}.csv"] = f"n,note\n{records}".encode()

    def start(self, gateway: Gateway) -> "subprocess.Popen[bytes]":
        buckets = ["--source-bucket", self.bronze.name, "--destination-bucket", self.silver.name]
        return subprocess.Popen(
            [sys.executable, "-m", "data_pipeline.cli.get_s3_files", "--agency-id", "10", *buckets],
            cwd=CHECKOUT,
            env={**process_environment(), "PYTHONPATH": str(CHECKOUT), "S3_ENDPOINT_URL": gateway.endpoint_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def require_complete_objects(self) -> None:
        keys = self.silver.keys()
        for key in keys:
            assert self.silver.get(key) == self.expected[key], key
        recorded = LoadLog.objects.filter(status="success").values_list("payload_meta__silver_uri", flat=True)
        assert set(recorded) <= {self.silver.uri(key) for key in keys}

    def require_agreement(self) -> None:
        """Compare silver with the loads, after a run that was not killed."""
        self.require_complete_objects()
        keys = {
            self.silver.client.head_object(Bucket=self.silver.name, Key=key)["Metadata"]["load-key"]: self.silver.uri(
                key
            )
            for key in sorted(self.silver.keys())
        }
        loads = LoadLog.objects.filter(status="success")
        assert {one.idempotency_key: one.payload_meta["silver_uri"] for one in loads} == keys
        assert {one.rows_in for one in loads} <= {10, 500_000, 1000, 1}


@pytest.fixture
def scene(bucket: Bucket, s3_client: "S3Client", s3_settings: dict[str, str]) -> Scene:
    name = f"silver-{uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return Scene(bucket, Bucket(name=name, client=s3_client))


def test_killed_job_leaves_complete_objects_that_agree_with_loads(scene: Scene) -> None:
    choices = random.Random()  # noqa: S311  # no secret
    scene.put_new_versions(choices)
    for kill in range(KILLS):
        with open_gateway(scene.bronze.client.meta.endpoint_url) as gateway:
            job, requests = scene.start(gateway), choices.randrange(1, REQUESTS)
            _kill_after(job, gateway, requests, choices)
        scene.require_complete_objects()
        if choices.random() < 0.3:
            recover_loads(actor="test")
        if kill % 5 == 4:  # all of them are new to the next run
            scene.put_new_versions(choices)
    with open_gateway(scene.bronze.client.meta.endpoint_url) as gateway:
        job = scene.start(gateway)
        printed = job.communicate()[0].decode()
    assert job.returncode == 0, printed
    scene.require_agreement()
    assert set(list(scene.expected)[-4:]) <= set(scene.silver.keys())


def _kill_after(job: "subprocess.Popen[bytes]", gateway: Gateway, requests: int, choices: random.Random) -> None:
    """Kill a job after a number of requests, within the next one or after the last one."""
    eventually(lambda: len(gateway.requests) >= requests or job.poll() is not None)
    with suppress(subprocess.TimeoutExpired):
        job.wait(choices.random() * 0.1)
    job.kill()
    job.communicate()
