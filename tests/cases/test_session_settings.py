"""Settings of the role, the database or the server change neither what statements mean nor how values are read."""

from collections.abc import Callable, Iterator

import pytest

from seeder.models import RunHistory, RunMetrics
from tests.cases.conftest import ROLE, Deployment
from tests.conftest import server_major_version, sql

# Each setting that an ordinary role can set and that matters, with a value in which something failed without pinning.
SETTINGS = {
    "DateStyle": "German",
    "DateStyle SQL": "SQL, DMY",
    "DateStyle Postgres": "Postgres, MDY",
    "IntervalStyle": "iso_8601",
    "IntervalStyle sql": "sql_standard",
    "array_nulls": "off",
    "bytea_output": "escape",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_isolation serializable": "serializable",
    "exit_on_error": "on",
    "extra_float_digits": "-15",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "transaction_timeout": "1s",
}


@pytest.fixture
def set_for_role(deployment: Deployment) -> Iterator[Callable[[str, str], None]]:
    """Set a setting for the role `seeder`."""

    def set_setting(name: str, value: str) -> None:
        sql(f"ALTER ROLE {ROLE} SET {name.partition(' ')[0]} = '{value}'")

    yield set_setting
    sql(f"ALTER ROLE {ROLE} RESET ALL")


QUICK = {"DateStyle", "bytea_output", "default_transaction_isolation serializable"}  # one of each kind


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SETTINGS]
)
def test_commands_work_with_any_setting(
    name: str, deployment: Deployment, set_for_role: Callable[[str, str], None]
) -> None:
    if name == "transaction_timeout" and server_major_version() < 17:
        pytest.skip("PostgreSQL has transaction_timeout since version 17")
    deployment.execute("CREATE TABLE public.src AS SELECT 1 AS n; CREATE VIEW public.plain AS SELECT n FROM public.src")
    deployment.add_manifest("reporting.a", "SELECT n FROM public.src")
    duration = 1.2 if name == "transaction_timeout" else 0.2
    deployment.add_manifest("reporting.b", f"SELECT count(*) AS n FROM public.plain, pg_sleep({duration})")
    deployment.execute("CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM public.src")
    set_for_role(name, SETTINGS[name])
    for arguments in (
        ("refresh_all",),
        ("refresh_all", "--json"),
        ("refresh_all", "--queue"),
        ("capture_release_snapshot", "--table-name", "reporting.a", "--release-tag", "1"),
        ("refresh_status", "--json"),
        ("refresh_status",),
        ("queue_status",),
        ("doctor",),
    ):
        ended = deployment.manage(*arguments)
        assert (ended.exit_code, "Traceback" in ended.err) == (0, False), (arguments, ended.out, ended.err)
    assert list(RunHistory.objects.values_list("status", flat=True)) == ["success"] * 4
    assert set(RunMetrics.objects.values_list("attempts", flat=True)) == {1}
