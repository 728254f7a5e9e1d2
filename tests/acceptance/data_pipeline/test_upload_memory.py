"""The memory of an upload does not grow with its file. DATA_PIPELINE_UPLOAD_MB is the size of the larger one."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_pipeline.models import LoadRequest
from tests.acceptance import api_clients
from tests.acceptance.data_pipeline.upload_server import upload_server
from tests.conftest import sql

pytestmark = pytest.mark.slow
_SMALLER, _LARGER = 1, int(os.environ.get("DATA_PIPELINE_UPLOAD_MB", "64"))
_MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def fees(load_tables: None, empty_queue: None) -> Iterator[None]:
    sql("CREATE TABLE landing.fees (id bigint, amount numeric)")
    yield
    api_clients.delete_users()


@pytest.mark.parametrize("as_form", [False, True])
def test_memory_of_an_upload_does_not_grow_with_its_file(tmp_path: Path, *, as_form: bool) -> None:
    with upload_server(tmp_path, DATA_PIPELINE_MAX_UPLOAD_MB="5120") as server:
        assert server.send(_SMALLER, as_form=as_form)[0] == 202
        before = server.peak_memory()
        status, answer, of_client = server.send(_LARGER, as_form=as_form)
        growth = server.peak_memory() - before
    assert status == 202, answer
    [path] = [path for path in tmp_path.iterdir() if path.stat().st_size > _SMALLER * 2 * _MEGABYTE]
    assert LoadRequest.objects.get(pk=json.loads(answer)["requestId"]).source_uri == path.as_uri()
    print(f"{path.stat().st_size:,} bytes: server {before:,} + {growth:,}, client {of_client:,}")  # noqa: T201
    assert growth < 20 * _MEGABYTE
    assert of_client < 60 * _MEGABYTE
