"""Texts that are taken for valid without a check are valid for PostgreSQL."""

import re

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.type_patterns import FieldType, pattern_of_record, pattern_of_type

pytestmark = pytest.mark.usefixtures("load_tables")
TYPES = [
    "bigint",
    "integer",
    "smallint",
    "boolean",
    "date",
    "timestamp with time zone",
    "timestamp without time zone",
    "numeric",
    "numeric(12,2)",
    "numeric(3)",
    "double precision",
]
FIELDS = [FieldType(type="integer", is_required=True), FieldType(type=None, is_required=False)]


@pytest.mark.parametrize("type_name", TYPES)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_sure_text_is_accepted(type_name: str, data: st.DataObject) -> None:
    pattern = pattern_of_type(type_name)
    assert pattern is not None
    texts = data.draw(st.lists(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True), min_size=1, max_size=30))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(value::{type_name}) FROM unnest(%s::text[]) AS value", [texts])
        assert cursor.fetchone() == (len(texts),)


@pytest.mark.parametrize("type_name", ["numeric(2,2)", "uuid", "jsonb", "landing.mood", "character varying(3)"])
def test_other_types_are_checked(type_name: str) -> None:
    assert pattern_of_type(type_name) is None
    assert pattern_of_record([FieldType(type=type_name, is_required=False)], CsvFormat()) is None


@pytest.mark.parametrize(
    ("record", "is_sure"),
    [
        (b"1,a", True),
        (b"1,", True),
        (b'1,"a,\n""b"', True),
        (b"1,\xc3\xa9", True),
        (b",a", False),
        (b"x,a", False),
        (b'"1",a', False),
        (b"9999999999,a", False),
        (b"1", False),
        (b"1,a,b", False),
        (b'1,a"b', False),
    ],
)
def test_sure_record_has_a_sure_text_in_each_field(record: bytes, is_sure: bool) -> None:  # noqa: FBT001
    pattern = pattern_of_record(FIELDS, CsvFormat())
    assert pattern is not None
    assert (pattern.fullmatch(record) is not None) is is_sure
