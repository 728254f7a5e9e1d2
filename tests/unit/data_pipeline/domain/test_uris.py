"""Addresses as people read them."""

import pytest

from data_pipeline.domain.uris import file_name


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("file:///data/a%20b%C3%A9.csv", "a bé.csv"),
        ("https://files.example.com/a%20b.csv?version=2", "a b.csv"),
        ("s3://bronze/10/a%20b?.csv", "a%20b?.csv"),
        ("s3://bronze/10/folder/", "folder"),
        ("ingest.import_file", "ingest.import_file"),
        ("/", "/"),
    ],
)
def test_name_of_a_file_is_not_percent_encoded(address: str, expected: str) -> None:
    assert file_name(address) == expected
