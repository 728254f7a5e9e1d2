"""Our reading of names against the server's own `parse_ident`."""

import pytest
from django.db import DataError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seeder.domain.view_names import DEFAULT_SCHEMA, MAX_IDENTIFIER_BYTES, ViewName
from seeder.errors import BadName
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("bare_database")

SPELLED = st.text(alphabet=[*'aZz_09$".. \t\n-;%{', "ß", "Ä", "\u00a0", "表", "İ", "\x7f", "\x80", "😀"], max_size=12)


@settings(
    max_examples=500,
    deadline=None,
    # The database is only asked; no example leaves anything for the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SPELLED)
@example('"Gotham PD"."Use of Force"')
@example('a."b""c"')
@example("a" * 63)
@example("")
def test_a_name_means_here_what_it_means_to_the_server(text: str) -> None:
    assert ours(text) == theirs(text)


def ours(text: str) -> ViewName | None:
    try:
        return ViewName.parse(text)
    except BadName:
        return None


def theirs(text: str) -> ViewName | None:
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
