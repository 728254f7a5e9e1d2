"""Fixtures for tests with object storage: one server for all tests and workers, and an empty bucket for each test."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.session import Session
from pytest_django import Settings

from embedded.object_storage.server import ObjectStorage, ensure_running
from settings import test as host

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket of a test, and the vendor's client."""

    name: str
    client: "S3Client"

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, content: bytes, **metadata: str) -> str:
        """Write an object. Return its address."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content, Metadata=metadata)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def contents(self) -> dict[str, bytes]:
        """Return the objects by their keys."""
        return {key: self.get(key) for key in sorted(self.keys())}

    def keys(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]


@pytest.fixture(scope="session")
def object_storage() -> ObjectStorage:
    """The running server, which all workers share. Its buckets disappear when it stops."""
    return ensure_running(host.EMBEDDED_OBJECT_STORAGE, idle_after=timedelta(minutes=2), keeps_data=False)


@pytest.fixture(scope="session")
def s3_client(object_storage: ObjectStorage) -> Iterator["S3Client"]:
    """The vendor's client, without retries."""
    client: Any = Session().create_client(
        "s3",
        endpoint_url=object_storage.endpoint_url,
        region_name=object_storage.region,
        aws_access_key_id=object_storage.access_key_id,
        aws_secret_access_key=object_storage.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture
def bucket(s3_client: "S3Client") -> Bucket:
    """An empty bucket with a name of its own."""
    name = f"test-{uuid4().hex}"
    s3_client.create_bucket(Bucket=name)
    return Bucket(name=name, client=s3_client)


@pytest.fixture
def s3_settings(object_storage: ObjectStorage, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The server in the settings of this process, and in the environment of commands that the test starts."""
    configured = object_storage.settings()
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, **configured}
    for name, value in configured.items():
        monkeypatch.setenv(name, value)
    return configured
