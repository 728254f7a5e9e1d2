"""Object stores for tests: to the real server, and through a gateway that can break answers."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from data_pipeline import conf
from data_pipeline.storage.object_store import ObjectStore
from embedded.object_storage.server import ObjectStorage
from tests.s3_gateway import Gateway, open_gateway

MakeStore = Callable[..., ObjectStore]


@pytest.fixture
def make_store(object_storage: ObjectStorage) -> MakeStore:
    """Return a store with these settings beside those of the server. It does not wait, and lists the waits."""

    def make(waits: list[float] | None = None, **settings: object) -> ObjectStore:
        host = SimpleNamespace(DATA_PIPELINE={**object_storage.settings(), **settings})
        waited = [] if waits is None else waits
        return ObjectStore(conf.load_from(host), sleep=waited.append, random=lambda: 0.0)

    return make


@pytest.fixture
def store(make_store: MakeStore) -> ObjectStore:
    """A store at the real server."""
    return make_store()


@pytest.fixture
def gateway(object_storage: ObjectStorage) -> Iterator[Gateway]:
    """A gateway in front of the real server."""
    with open_gateway(object_storage.endpoint_url) as gateway:
        yield gateway


def through(gateway: Gateway, settings: Settings, **others: object) -> None:
    """Configure this process to reach the storage through a gateway."""
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "S3_ENDPOINT_URL": gateway.endpoint_url, **others}
