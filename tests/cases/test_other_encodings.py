"""Databases whose encoding lacks characters: no statement needs them, and a text that cannot be there is not found."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.acceptance.api_clients import api_client
from tests.conftest import default_database, run_in_process, sql

DATABASE = "test_encoding"
EURO = "%E2%82%AC"
PATHS = [
    f"/api/seeder/v1/jobs/?search={EURO}",
    f"/api/seeder/v1/jobs/?agency={EURO}",
    f"/api/seeder/v1/runs/?agency={EURO}",
    f"/api/seeder/v1/queue/?agency={EURO}",
    f"/api/seeder/v1/manifests/?agency={EURO}",
    f"/api/pipeline/v1/loads/?source={EURO}",
    f"/api/seeder/v1/snapshots/?tableName={EURO}",
    f"/api/seeder/v1/snapshots/?releaseTag={EURO}",
]
PAGES = [f"/admin/seeder/monitoring/?q={EURO}", f"/admin/seeder/runhistory/?q={EURO}"]


@pytest.fixture(params=["LATIN1", "WIN1252", "KOI8R", "SQL_ASCII"])
def encoding(request: pytest.FixtureRequest, bare_database: None) -> Iterator[str]:
    """Use a database with another encoding as the default one."""
    sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    locale = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    sql(f"CREATE DATABASE {DATABASE} ENCODING '{request.param}' {locale} TEMPLATE template0")
    try:
        with default_database({"DB_NAME": DATABASE}):
            for command in (("install_schema",), ("migrate", "--verbosity", "0")):
                assert run_in_process(*command, DB_NAME=DATABASE).exit_code == 0
            yield request.param
    finally:
        sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.mark.slow
def test_texts_that_the_encoding_lacks_are_not_found(encoding: str) -> None:
    sql("CREATE TABLE public.t AS SELECT n, repeat('caf', 100) || n AS w FROM generate_series(1, 20) AS n")
    sql(
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, database_id, query) VALUES"
        " ('reporting.a', 'a', 1, 'demo', 1, 'SELECT n, w FROM public.t'),"
        " ('reporting.b', 'b', 1, 'demo', 1, 'SELECT n FROM public.t, LATERAL (SELECT (SELECT n FROM public.t)) AS x')"
    )
    assert run_in_process("refresh_all", DB_NAME=DATABASE).exit_code == 1
    tag = ("--table-name", "reporting.a", "--release-tag", "1.0")
    assert run_in_process("capture_release_snapshot", *tag, DB_NAME=DATABASE).exit_code == 0
    for arguments in (
        ("refresh_agency", "größe€"),
        ("refresh_table", "reporting.größe€"),
        ("refresh_status", "--agency", "€"),
    ):
        ended = run_in_process(*arguments, DB_NAME=DATABASE)
        assert ended.exit_code in {0, 2}, ended.err
        assert "Traceback" not in ended.err
    root = User.objects.create_superuser("root", password="open sesame")
    for path in PATHS:
        answer = api_client(root).get(path)
        assert (answer.status_code, answer.json()["results"]) == (200, []), path
    browser = Client()
    browser.force_login(root)
    for path in PAGES:
        assert browser.get(path).status_code == 200, path
