"""Parsed names compared with the server's `parse_ident`."""

import pytest
from django.db import DataError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seeder.domain.view_names import DEFAULT_SCHEMA, MAX_IDENTIFIER_BYTES, ViewName
from seeder.errors import BadName
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("bare_database")

SPELLINGS = st.text(alphabet=[*'aZz_09$".. \t\n-;%{', "ß", "Ä", "\u00a0", "表", "İ", "\x7f", "\x80", "😀"], max_size=12)


@settings(
    max_examples=200,
    deadline=None,
    # The database is only queried; no example changes it.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SPELLINGS)
@example('"Gotham PD"."Use of Force"')
@example('a."b""c"')
@example("a" * 63)
@example("")
def test_name_is_parsed_like_by_the_server(text: str) -> None:
    assert parsed(text) == parsed_by_server(text)


def parsed(text: str) -> ViewName | None:
    try:
        return ViewName.parse(text)
    except BadName:
        return None


def parsed_by_server(text: str) -> ViewName | None:
    try:
        [(parts,)] = sql("SELECT parse_ident(%s)", text)
    except DataError:
        return None
    if (
        len(parts) > 2
        or (len(parts) == 2 and parts[0].startswith("pg_"))
        or any(len(part.encode()) > MAX_IDENTIFIER_BYTES for part in parts)
    ):
        return None
    return ViewName(schema=([DEFAULT_SCHEMA, *parts])[-2], name=parts[-1])
