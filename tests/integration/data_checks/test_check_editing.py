"""Changes of data checks and decisions by the role of the web processes, and by users at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from seeder.data_check_errors import CheckTableUnusable
from seeder.domain.data_checks.definitions import CheckDefinition
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.manifest_errors import WritingForbidden
from seeder.models import DataCheckWaiver
from seeder.services.data_checks import check_editing
from seeder.services.data_checks.waivers import HeldChecks, waive_checks
from seeder.services.manifest_access import Editor
from tests.conftest import CHECKOUT, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

VIEW = ViewKey(database="default", name=ViewName.parse("reporting.a"))
DEFINITION = CheckDefinition(view="reporting.a", name="new", kind="drift")
HELD = HeldChecks(table_name="reporting.a")


@pytest.fixture(autouse=True)
def held_view(contract_tables: None) -> Iterator[None]:
    create_view()
    add_check("row_count", arguments={"min": 1001})
    refresh()
    yield
    User.objects.all().delete()


@pytest.fixture
def web_role(held_view: None) -> Iterator[None]:
    """A role that may only read, until a test grants more."""
    sql("CREATE ROLE web_of_checks; GRANT USAGE ON SCHEMA reporting, public TO web_of_checks")
    sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting, public TO web_of_checks")
    sql("GRANT INSERT ON public.django_admin_log TO web_of_checks")
    yield
    sql("RESET ROLE; DROP OWNED BY web_of_checks; DROP ROLE web_of_checks")


def editor() -> Editor:
    return Editor.of(User.objects.create_user("ada"))


def test_grants_of_the_guide_suffice_for_changes_and_decisions(web_role: None) -> None:
    guide = (CHECKOUT / "docs/how-to/data-checks.md").read_text(encoding="utf-8")
    grants = next(one for one in guide.split("```") if one.startswith("sql\nGRANT")).removeprefix("sql\n")
    by = editor()
    sql(grants.replace("seeder_web", "web_of_checks"))
    sql("SET ROLE web_of_checks")
    row = check_editing.create_check(VIEW, DEFINITION, editor=by)
    row = check_editing.change_check(row, {"severity": "warn"}, version=None, editor=by)
    check_editing.remove_check(row, editor=by)
    assert (row.severity, len(waive_checks(HELD, reason="r", granted_by="ada"))) == ("warn", 1)


def test_role_that_may_only_read_is_named_with_its_grant(web_role: None) -> None:
    by = editor()
    sql("SET ROLE web_of_checks")
    with pytest.raises(WritingForbidden, match=r"GRANT INSERT, UPDATE, DELETE ON reporting\.seeder_check TO web_of"):
        check_editing.create_check(VIEW, DEFINITION, editor=by)
    with pytest.raises(CheckTableUnusable, match="seeder_check_waiver: no INSERT and UPDATE privilege"):
        waive_checks(HELD, reason="r", granted_by="ada")


def test_waivers_at_the_same_time_permit_one_publication() -> None:
    def waive(_: int) -> None:
        waive_checks(HELD, reason="r", granted_by="ada")
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(waive, range(8)))
    assert DataCheckWaiver.objects.count() == 8
    assert sql("SELECT count(*) FROM reporting.seeder_check_waiver WHERE expires_at > now()") == [(1,)]
