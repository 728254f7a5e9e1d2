"""Jobs use the object storage and the clients of their handler."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from data_pipeline import HTTPClient, conf
from data_pipeline.jobs import get_s3_files
from data_pipeline.services.handler import ServiceHandler


class EmptyStorage:
    """Buckets without objects, and what was listed."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, str]] = []

    def list(self, bucket: str, *, prefix: str = "", **_: Any) -> Iterator[Any]:
        self.listed.append((bucket, prefix))
        return iter(())


def test_job_uses_the_storage_of_its_handler(capsys: pytest.CaptureFixture[str]) -> None:
    storage: Any = EmptyStorage()
    settings = conf.load_from(
        SimpleNamespace(DATA_PIPELINE={"SOURCE_BUCKET": "bronze", "DESTINATION_BUCKET": "silver"})
    )
    handler = ServiceHandler(settings=lambda: settings, storage=lambda _: storage)

    assert get_s3_files.entrypoint(["--agency-id", "10", "--dry-run"], handler=handler) == 0
    assert ("bronze", "10/") in storage.listed


def test_client_of_a_handler_calls_an_integration() -> None:
    with ServiceHandler().http("shop") as client:
        assert isinstance(client, HTTPClient)
