import pytest

from seeder.domain.refresh_statement_parser import parse_refresh
from seeder.domain.view_names import ViewName

A = ViewName(schema="reporting", name="a")


@pytest.mark.parametrize(
    "statement",
    [
        'REFRESH MATERIALIZED VIEW "reporting"."a"',
        "refresh materialized view reporting.a;",
        "Refresh\tMATERIALIZED\r\nview REPORTING . A ; ",
        'REFRESH MATERIALIZED VIEW"reporting".a',
        "REFRESH MATERIALIZED VIEW reporting.a WITH DATA",
        "/* nightly */ REFRESH /**/ MATERIALIZED -- why not\n VIEW reporting.a -- done",
        "REFRESH MATERIALIZED VIEW/*;*/reporting/* . */.a",
    ],
)
def test_refresh_is_parsed_in_any_spelling(statement: str) -> None:
    assert parse_refresh(statement) == (A, False)


@pytest.mark.parametrize(
    "statement",
    [
        'REFRESH MATERIALIZED VIEW CONCURRENTLY "reporting"."a"',
        "refresh materialized view concurrently reporting.a;",
        'REFRESH MATERIALIZED VIEW concurrently"reporting"."a" with data',
    ],
)
def test_concurrent_refresh_is_recognized(statement: str) -> None:
    assert parse_refresh(statement) == (A, True)


def test_quoted_name_is_parsed_unchanged() -> None:
    odd = ViewName(schema="Gotham; PD", name='Use -- of "Force" /*')
    assert parse_refresh('REFRESH MATERIALIZED VIEW "Gotham; PD"."Use -- of ""Force"" /*"') == (odd, False)


def test_view_named_concurrently_is_not_a_mode() -> None:
    view = ViewName(schema="concurrently", name="a")
    assert parse_refresh('REFRESH MATERIALIZED VIEW "concurrently".a') == (view, False)
    assert parse_refresh("REFRESH MATERIALIZED VIEW concurrently_.a") == (
        ViewName(schema="concurrently_", name="a"),
        False,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "REFRESH MATERIALIZED VIEW a",  # depends on the search path
        "REFRESH MATERIALIZED VIEW base.reporting.a",
        "REFRESH MATERIALIZED VIEW reporting.a WITH NO DATA",
        "REFRESH MATERIALIZED VIEWreporting.a",
        "SELECT 'REFRESH MATERIALIZED VIEW reporting.a'",
        "EXPLAIN REFRESH MATERIALIZED VIEW reporting.a",
        "-- REFRESH MATERIALIZED VIEW reporting.a",
        "/* /* REFRESH */ MATERIALIZED */ VIEW reporting.a",
        "REFRESH MATERIALIZED VIEW reporting.a; SELECT 1",
        'REFRESH MATERIALIZED VIEW reporting.""',
        f"REFRESH MATERIALIZED VIEW reporting.{'a' * 64}",
        "REFRESH MATERIALIZED VIEW reporting." + "/*" * 5000,
    ],
)
def test_other_statement_is_not_a_refresh(statement: str) -> None:
    assert parse_refresh(statement) is None
