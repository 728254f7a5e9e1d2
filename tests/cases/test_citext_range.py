"""The range of a citext column, whose order ignores case."""

from collections.abc import Iterator

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import sql


@pytest.fixture
def citext(bare_database: None) -> Iterator[None]:
    if not sql("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"):
        pytest.skip("this server has no citext")
    sql("CREATE EXTENSION citext SCHEMA public")
    yield
    sql("DROP EXTENSION citext CASCADE")


@pytest.mark.parametrize("options", [(), ("--approximate",)])
@pytest.mark.usefixtures("citext")
def test_range_of_citext_ignores_case(deployment: Deployment, options: tuple[str, ...]) -> None:
    deployment.execute(
        "CREATE TABLE public.t (mail citext); INSERT INTO public.t"
        " SELECT CASE WHEN n % 2 = 0 THEN 'a' ELSE 'B' END || n FROM generate_series(1, 5000) AS n"
    )
    deployment.add_manifest("reporting.a", "SELECT mail FROM public.t")
    assert deployment.manage("refresh_all").exit_code == 0
    capture = ("capture_release_snapshot", "--table-name", "reporting.a", "--release-tag", "1")
    [column] = deployment.manage(*capture, "--json", *options).document["columns"]
    assert (column["minimum"], column["maximum"]) == ("a10", "B999")
    assert sql("SELECT min(mail)::text, max(mail)::text FROM reporting.a") == [("a10", "B999")]
