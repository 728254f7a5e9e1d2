"""Buckets of bronze and silver, and the job in a process in which Django and psycopg cannot be imported."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.buckets import Bucket
from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKED_IMPORTS = """
import os, resource, sys

if limit := os.environ.get("LARGEST_FILE"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "psycopg"}:
            raise ImportError(f"{name} cannot be imported here")

sys.meta_path.insert(0, Refuse())
"""
Ended = subprocess.CompletedProcess[str]
RunJob = Callable[..., Ended]


@pytest.fixture
def bronze(bucket: Bucket) -> Bucket:
    return bucket


@pytest.fixture
def silver(s3_client: "S3Client") -> Bucket:
    name = f"silver-{uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return Bucket(name=name, client=s3_client)


@pytest.fixture
def run_job(s3_settings: dict[str, str], bronze: Bucket, silver: Bucket, tmp_path: Path) -> RunJob:
    """Run the job with the arguments for agency 10 and both buckets. The environment has only the store's settings.

    With the variable LARGEST_FILE, no file can have more bytes, as on a full disk.
    """
    (tmp_path / "sitecustomize.py").write_text(_BLOCKED_IMPORTS)
    (tmp_path / "current").mkdir()
    path = os.pathsep.join([os.fspath(tmp_path), os.fspath(CHECKOUT)])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "LC_ALL": "C.UTF-8", **s3_settings}

    def run(*arguments: str, program: tuple[str, ...] = ("data_pipeline.cli.get_s3_files",), **variables: str) -> Ended:
        buckets = ("--source-bucket", bronze.name, "--destination-bucket", silver.name)
        given = arguments if "--help" in arguments or "list" in program else ("--agency-id", "10", *buckets, *arguments)
        return subprocess.run(
            [sys.executable, "-m", *program, *given],
            cwd=tmp_path / "current",
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def objects_of(ended: Ended) -> dict[str, dict[str, Any]]:
    """Return the objects in the JSON document of a run, by the name of the source."""
    return {one["sourceUri"].rpartition("/")[2]: one for one in json.loads(ended.stdout)["objects"]}
