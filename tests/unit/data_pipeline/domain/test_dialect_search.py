from pathlib import Path

import pytest

from data_pipeline.dialect_errors import DialectUnreadable, UnknownDialect
from data_pipeline.domain.dialect_search import all_dialects, find_dialect


def test_shipped_dialects_are_valid() -> None:
    assert [dialect.name for dialect in all_dialects()] == ["generic", "prices", "rates", "returns_report"]


def test_dialect_is_found_by_name_in_a_folder_before_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("delimiter = ';'")
    assert find_dialect("prices", [tmp_path]).delimiter == ";"
    assert find_dialect("prices", [tmp_path / "nosuch"]).target == "prices"


def test_dialect_is_found_by_path(tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text("delimiter = ';'")
    assert find_dialect(str(tmp_path / "orders.toml")).name == "orders"


def test_unknown_dialect_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        UnknownDialect, match=r"no dialect 'price'\. The nearest one is 'prices'\. Known: generic, prices"
    ):
        find_dialect("price")


def test_name_with_a_path_is_no_name_of_a_dialect(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(UnknownDialect):
        find_dialect("../prices", [tmp_path / "inner"])


@pytest.mark.parametrize("content", [b"\xff", None])
def test_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "orders.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(DialectUnreadable, match="The dialect orders cannot be read"):
        find_dialect(str(path))
