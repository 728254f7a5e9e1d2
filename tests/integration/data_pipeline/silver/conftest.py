"""Buckets of bronze and silver, and the job in a process in which Django and psycopg cannot be imported."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from embedded.object_storage.server import ObjectStorage
from tests.buckets import Bucket
from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKED_IMPORTS = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "psycopg"}:
            raise ImportError(f"{name} cannot be imported here")

sys.meta_path.insert(0, Refuse())
"""
# A process that has imported the job, and forks for each run: a run then starts in milliseconds.
_FORK_SERVER = """
import json, os, resource, sys
import botocore.session
from data_pipeline.cli.get_s3_files import main

for line in sys.stdin:
    run = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(run["folder"])
        os.environ.clear()
        os.environ.update(run["environment"])
        for stream in ("stdout", "stderr"):
            os.dup2(os.open(run[stream], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), getattr(sys, stream).fileno())
        if limit := os.environ.get("LARGEST_FILE"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        sys.argv[1:] = run["arguments"]
        sys.exit(main())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
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


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, object_storage: ObjectStorage) -> dict[str, str]:
    """The environment of a process that has the store's settings, and cannot import Django and psycopg."""
    folder = tmp_path_factory.mktemp("blocked")
    (folder / "sitecustomize.py").write_text(_BLOCKED_IMPORTS)
    path = os.pathsep.join([os.fspath(folder), os.fspath(CHECKOUT)])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "LC_ALL": "C.UTF-8", **object_storage.settings()}


@pytest.fixture(scope="session")
def fork_server(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _FORK_SERVER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield server
        assert server.stdin
        server.stdin.close()


@pytest.fixture
def run_job(
    environment: dict[str, str],
    fork_server: "subprocess.Popen[str]",
    bronze: Bucket,
    silver: Bucket,
    tmp_path: Path,
) -> RunJob:
    """Run the job with the arguments for agency 10 and both buckets. The environment has only the store's settings.

    With the variable LARGEST_FILE, no file can have more bytes, as on a full disk.
    """
    folder = tmp_path / "current"
    folder.mkdir()
    buckets = ("--source-bucket", bronze.name, "--destination-bucket", silver.name)

    def run(*arguments: str, program: tuple[str, ...] = (), **variables: str) -> Ended:
        if "--help" not in arguments and "list" not in program:
            arguments = ("--agency-id", "10", *buckets, *arguments)
        given = {**environment, **variables}
        if program:
            command = [sys.executable, "-m", *program, *arguments]
            return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
        outputs = {name: os.fspath(tmp_path / name) for name in ("stdout", "stderr")}
        request = {"folder": os.fspath(folder), "environment": given, "arguments": arguments, **outputs}
        assert fork_server.stdin
        assert fork_server.stdout
        fork_server.stdin.write(json.dumps(request) + "\n")
        fork_server.stdin.flush()
        exit_code = int(fork_server.stdout.readline())
        return Ended(arguments, exit_code, *(Path(path).read_text() for path in outputs.values()))

    return run


def objects_of(ended: Ended) -> dict[str, dict[str, Any]]:
    """Return the objects in the JSON document of a run, by the name of the source."""
    return {one["sourceUri"].rpartition("/")[2]: one for one in json.loads(ended.stdout)["objects"]}
