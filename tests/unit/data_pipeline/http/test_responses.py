"""The JSON of an answer."""

from decimal import Decimal

import pytest

from data_pipeline.http.responses import HTTPResponse
from data_pipeline.http_errors import NotJson


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"a": ' + b"1" * 5_000 + b"}", "an integer has more than 4,300 digits"),
        (b"[1e99999999999999999999]", "the exponent of a number is too large"),
        (b"[-Infinity]", "-Infinity is not a number in JSON"),
    ],
)
def test_number_that_cannot_be_read_is_named(content: bytes, problem: str) -> None:
    response = HTTPResponse(integration="fees", url="https://fees", status_code=200, headers={}, content=content)
    with pytest.raises(NotJson, match=f"is not JSON: {problem}"):
        response.json(parse_float=Decimal)
