"""Doctor names functions whose operators mean something else while a view is refreshed."""

from collections.abc import Iterator

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import server_major_version, sql

PEOPLE = (
    "CREATE TABLE public.people (id int, mail citext, name text);"
    "INSERT INTO public.people VALUES (1, 'Anna@x', 'anna'), (2, 'anna@X', 'ann');"
)
SAME = (
    "SELECT a.id AS a, b.id AS b FROM public.people AS a JOIN public.people AS b"
    " ON public.same(a.mail, b.mail) AND a.id < b.id"
)


@pytest.fixture
def extensions(deployment: Deployment) -> Iterator[None]:
    names = "citext", "pg_trgm"
    if len(sql("SELECT 1 FROM pg_available_extensions WHERE name IN (%s, %s)", *names)) < len(names):
        pytest.skip("this server has no citext or pg_trgm")
    for name in names:
        sql(f"CREATE EXTENSION {name} SCHEMA public")
    yield
    for name in names:
        sql(f"DROP EXTENSION {name} CASCADE")


def problem() -> str:
    return "function_unqualified" if server_major_version() >= 17 else "function_upgrade"


@pytest.mark.usefixtures("extensions")
def test_operators_of_extensions_are_found_also_for_missing_views(deployment: Deployment) -> None:
    deployment.execute(
        PEOPLE
        + "CREATE FUNCTION public.same(a citext, b citext) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT a = b';"
        "CREATE FUNCTION public.near(a text, b text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT a % b'"
    )
    deployment.add_manifest("reporting.same", SAME)
    deployment.add_manifest("reporting.near", "SELECT id FROM public.people WHERE public.near(name, 'anna')")
    for _ in range(2):  # before the views exist, and after
        found = deployment.problems(problem())
        assert {(subject, one["message"]) for subject, one in found.items()} == {
            ("public.same(a citext, b citext)", "Without a schema: operator =. Used by reporting.same."),
            ("public.near(a text, b text)", "Without a schema: operator %. Used by reporting.near."),
        }
        deployment.manage("refresh_all")
    for one in found.values():
        deployment.execute(one["sql"])
    assert not deployment.problems(problem())
    assert deployment.manage("refresh_all").exit_code == 0
    assert sql("SELECT * FROM reporting.same") == [(1, 2)]


USED = {
    "by_column": ("", "SELECT count(*) FROM public.people WHERE mail = 'anna@x'", "operator ="),
    "by_keyword": ("", "SELECT count(*) FROM public.people WHERE mail IN ('anna@x')", "operator ="),
    "by_pattern": ("", "SELECT count(*) FROM public.people WHERE mail LIKE 'A%'", "operator ~~"),
    "by_row": ("p public.people", "SELECT count(*) WHERE p.mail = 'anna@x'", "operator ="),
    "by_array": ("a public.citext[]", "SELECT count(*) WHERE 'x' = ANY (a)", "operator ="),
    "by_function": ("", "SELECT count(*) FROM public.mails() AS m WHERE m = 'anna@x'", "operator ="),
    "by_aggregate": ("", "SELECT length(min(mail)::text)::bigint FROM public.people", "min"),
    "by_overload": ("", "SELECT length(replace(mail, 'a', '')::text)::bigint FROM public.people", "replace"),
    "by_natural_join": ("", "SELECT count(*) FROM public.people AS a NATURAL JOIN public.people AS b", "operator ="),
    "by_domain": ("d public.address", "SELECT count(*) WHERE d = 'anna@x'", "operator ="),
}
UNUSED = {
    "of_numbers": ("", "SELECT count(*) FROM public.people WHERE id = 1"),
    "of_texts": ("", "SELECT count(*) FROM public.names WHERE name = 'a' AND name LIKE '%a % b'"),
    "qualified": ("", "SELECT count(*) FROM public.people WHERE mail OPERATOR(public.=) 'anna@x'"),
}


@pytest.mark.usefixtures("extensions")
def test_operators_are_found_by_the_types_that_a_function_uses(deployment: Deployment) -> None:
    deployment.execute(
        PEOPLE + "CREATE TABLE public.names (name text); CREATE DOMAIN public.address AS public.citext;"
        "CREATE FUNCTION public.mails() RETURNS SETOF public.citext LANGUAGE sql"
        " BEGIN ATOMIC SELECT mail FROM public.people; END;"
    )
    functions = {name: (arguments, body) for name, (arguments, body, _) in USED.items()} | UNUSED
    for name, (arguments, body) in functions.items():
        deployment.execute(
            f"CREATE FUNCTION public.{name}({arguments}) RETURNS bigint LANGUAGE sql STABLE AS $f$ {body} $f$"
        )
        call = f"public.{name}({'NULL' if arguments else ''})"
        deployment.add_manifest(f"reporting.{name}", f"SELECT {call} AS n")
    found = {
        subject.partition("(")[0].removeprefix("public."): one["message"]
        for subject, one in deployment.problems(problem(), "--all").items()
    }
    assert found.keys() == USED.keys()
    for name, (_, _, label) in USED.items():
        assert label in found[name], name
