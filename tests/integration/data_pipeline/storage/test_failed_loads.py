"""A load from a bucket that fails prints one line, exits with 2 and leaves nothing."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from pytest_django import Settings

from data_pipeline.domain.retry_decisions import Backoff
from data_pipeline.models import LoadLog
from tests.buckets import Bucket
from tests.conftest import CompletedCommand, sql
from tests.integration.data_pipeline.storage.conftest import through
from tests.s3_gateway import Fault, Gateway

Manage = Callable[..., CompletedCommand]
SECRET = "another-secret-key"  # noqa: S105  # of the test


class FailingLoad(NamedTuple):
    """A load that fails, and a part of its line."""

    message: str
    fault: Fault | None = None
    configured: Mapping[str, Any] = {}


FAILING_LOADS = [
    FailingLoad("denied reading URI (AccessDenied)", Fault(status=403, code="AccessDenied")),
    FailingLoad("There is no file URI", Fault(status=404, code="NoSuchKey")),
    FailingLoad("There is no bucket test-", Fault(status=404, code="NoSuchBucket")),
    FailingLoad("URI was changed while it was loaded", Fault(status=412, code="PreconditionFailed")),
    FailingLoad("does not accept the credentials (ExpiredToken)", Fault(status=400, code="ExpiredToken")),
    FailingLoad("refused reading URI: KMS.Disabled", Fault(status=400, code="KMS.DisabledException")),
    FailingLoad("refused reading URI: NotImplemented", Fault(status=501, code="NotImplemented")),
    FailingLoad("did not answer reading", Fault(status=503, headers={"Retry-After": "999"})),
    FailingLoad("does not accept the credentials (SignatureDoesNotMatch)", configured={"S3_SECRET_ACCESS_KEY": SECRET}),
    FailingLoad(
        "does not accept the credentials (SignatureDoesNotMatch)", configured={"S3_ACCESS_KEY_ID": "another-key-id"}
    ),
    FailingLoad("S3_SECRET_ACCESS_KEY", configured={"S3_SECRET_ACCESS_KEY": ""}),
    FailingLoad("There are no usable credentials for http://127.0.0.1:", configured={"S3_ACCESS_KEY_ID": ""}),
    FailingLoad("S3_ENDPOINT_URL", configured={"S3_ENDPOINT_URL": "no-url"}),
    FailingLoad("did not answer reading", configured={"S3_ENDPOINT_URL": f"https://user:{SECRET}@127.0.0.1:1/"}),
]


@pytest.fixture
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove waits between attempts, and credentials of this machine."""
    monkeypatch.setattr("data_pipeline.storage.object_store._BACKOFF", Backoff(base_s=0, jitter_s=0))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.fixture
def uri(load_tables: None, s3_settings: dict[str, str], without_waits: None, bucket: Bucket) -> str:
    """The address of an object, for the table `landing.orders`."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, note text)")
    return bucket.put("orders.csv", b"id,note\n1,a\n")


@pytest.fixture
def load(uri: str, gateway: Gateway, settings: Settings, manage: Manage) -> Callable[[FailingLoad], CompletedCommand]:
    """Load the object through a fault, with other settings."""

    def load_through(case: FailingLoad) -> CompletedCommand:
        through(gateway, settings, **case.configured)
        gateway.faults += [case.fault] if case.fault else []
        return manage("load_file", uri, "--table", "landing.orders")

    return load_through


@pytest.mark.parametrize("case", FAILING_LOADS)
def test_failed_load_is_one_line_without_secrets(
    load: Callable[[FailingLoad], CompletedCommand], uri: str, caplog: pytest.LogCaptureFixture, case: FailingLoad
) -> None:
    caplog.set_level(logging.DEBUG)

    ended = load(case)

    assert (ended.exit_code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert case.message.replace("URI", uri) in line
    assert sql("SELECT count(*) FROM landing.orders") == [(0,)]
    assert not LoadLog.objects.exclude(status="failed").exists()
    texts = [ended.err, caplog.text, *map(str, sql("SELECT * FROM load_log"))]
    assert [text for text in texts if SECRET in text] == []


def test_failed_load_is_repeated_when_the_fault_is_over(load: Callable[[FailingLoad], CompletedCommand]) -> None:
    assert load(FAILING_LOADS[0]).exit_code == 2

    assert load(FailingLoad("")).exit_code == 0
    assert sql("SELECT id FROM landing.orders") == [(1,)]
    assert LoadLog.objects.get().attempts == 2
