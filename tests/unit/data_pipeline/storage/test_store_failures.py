"""Which failed calls are repeated."""

import pytest

from data_pipeline.storage.s3 import CERTIFICATE, CONNECTION, CallFailure
from data_pipeline.storage.store_failures import is_transient


@pytest.mark.parametrize(
    ("code", "issuer", "expected"),
    [(CONNECTION, "", False), (CONNECTION, "https://sts", True), (CERTIFICATE, "https://sts", False)],
)
def test_conditional_write_is_repeated_if_nothing_was_sent(code: str, issuer: str, *, expected: bool) -> None:
    failure = CallFailure(code, cause="")
    failure.issuer = issuer
    assert is_transient(failure, is_conditional_write=True) is expected
