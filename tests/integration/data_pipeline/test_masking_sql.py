"""Python and PostgreSQL mask the same texts alike."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from pytest_django import DjangoDbBlocker

from data_pipeline.domain.dialects import Pii
from data_pipeline.domain.masking import hash_pads, mask_value
from data_pipeline.postgres.masking_sql import masked_text
from tests.conftest import another_session

KEY = b"secret"


@pytest.fixture(scope="module")
def session(django_databases: None, django_db_blocker: DjangoDbBlocker) -> Iterator[psycopg.Connection[Any]]:
    with django_db_blocker.unblock(), another_session() as opened:
        yield opened


@pytest.mark.parametrize("pii", list(Pii))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(texts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=10))
def test_python_and_postgresql_mask_alike(session: psycopg.Connection[Any], pii: Pii, texts: list[str]) -> None:
    inner, outer = hash_pads(KEY)
    expression = masked_text(
        sql.Identifier("row", "value"), pii, pads=(sql.SQL("%(inner)s::bytea"), sql.SQL("%(outer)s::bytea"))
    )
    query = sql.SQL(
        "SELECT {} FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS row (value, position) ORDER BY position"
    ).format(expression)
    rows = session.execute(query, {"texts": [*texts, None], "inner": inner, "outer": outer}).fetchall()
    assert [text for (text,) in rows] == [*(mask_value(text, pii, hash_key=KEY) for text in texts), None]
