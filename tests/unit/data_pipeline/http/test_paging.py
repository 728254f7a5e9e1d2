from itertools import count

import pytest

from data_pipeline.http.paging import iterate_pages
from data_pipeline.http_errors import TooManyPages


def test_pages_end_without_a_cursor() -> None:
    pages: dict[str | None, tuple[str, str | None]] = {None: ("a", "1"), "1": ("b", "2"), "2": ("c", None)}
    assert list(iterate_pages(pages.__getitem__, integration="shop")) == ["a", "b", "c"]


def test_cursor_that_returns_is_an_error() -> None:
    pages: dict[str | None, tuple[str, str | None]] = {None: ("a", "1"), "1": ("b", "2"), "2": ("c", "1")}
    with pytest.raises(TooManyPages, match="shop returned the same cursor again after 3 pages"):
        list(iterate_pages(pages.__getitem__, integration="shop"))


def test_pages_without_end_are_an_error() -> None:
    numbers = count()
    found = iterate_pages(lambda _: (b"", str(next(numbers))), integration="shop", max_pages=5)
    with pytest.raises(TooManyPages, match="shop returned another page after 5 pages"):
        list(found)
    assert next(numbers) == 5
