"""The client keeps little in memory, and finds the same servers as botocore's own."""

import gc
import tracemalloc
from types import SimpleNamespace
from typing import Any

from botocore.session import Session

from data_pipeline import conf
from data_pipeline.storage import s3

KEYS = {"S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "secret"}  # with them, no credentials are searched for


def settings_with(**values: str) -> conf.Settings:
    return conf.load_from(SimpleNamespace(DATA_PIPELINE={**KEYS, **values}))


def test_client_keeps_little_of_the_descriptions_of_services() -> None:
    settings = settings_with(S3_REGION="eu-central-1")
    tracemalloc.start()
    try:
        client = s3.open_client(settings)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert client.meta.service_model.operation_names
    assert kept < 5_000_000


def test_client_finds_the_same_server_as_with_all_descriptions() -> None:
    settings = settings_with(S3_REGION="cn-north-1")
    whole: Any = Session().create_client(**s3.get_s3_client_kwargs(settings))
    small = s3.open_client(settings)
    assert small.meta.endpoint_url == whole.meta.endpoint_url
    key = {"Bucket": "bucket", "Key": "key"}
    urls = [client.generate_presigned_url("get_object", Params=key) for client in (small, whole)]
    assert urls[0].partition("?")[0] == urls[1].partition("?")[0]


def test_session_finds_the_server_that_issues_credentials() -> None:
    given: dict[str, Any] = {"region_name": "eu-central-1", "aws_access_key_id": "id", "aws_secret_access_key": "key"}
    whole, small = (session.create_client("sts", **given) for session in (Session(), s3.small_session()))
    assert small.meta.endpoint_url == whole.meta.endpoint_url
