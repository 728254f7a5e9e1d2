"""What readers see about a consistent group: in a command, its explanation, the API and the page of its run."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from seeder.models import CustomReportManifest, RunHistory
from seeder.services.read_models import run_groups, run_timeline
from tests.acceptance.api_clients import READER_PERMISSIONS, api_client, create_user, delete_users, get
from tests.conftest import CompletedCommand, sql
from tests.integration.admin.admin_clients import client_with, get_page
from tests.integration.groups.grouped_views import GROUP, create_grouped_views, load, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")
Manage = Callable[..., CompletedCommand]
NAMES = "reporting.a, reporting.b, reporting.c"
TOGETHER, DIVIDED = f"{NAMES} became visible together.", f"{NAMES} kept their rows, because reporting.c failed"


@pytest.fixture(autouse=True)
def _group(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}}
    create_grouped_views()


def last_run() -> str:
    return RunHistory.objects.latest("start_time").run_id


def test_command_and_explanation_show_what_became_visible_together(manage: Manage) -> None:
    assert f"consistent group month: {TOGETHER}" in manage("refresh_table", "reporting.b").lines
    assert f"- In the consistent group month: {TOGETHER}" in manage("explain_view", "reporting.c").lines
    assert "consistent group" not in manage("refresh_table", "reporting.outside").out
    [group] = manage("refresh_table", "reporting.b", "--json").document["groups"]
    assert (group["text"], group["attempts"], len(group["members"])) == (TOGETHER, 1, 3)


def test_failed_group_names_the_member_that_failed(manage: Manage) -> None:
    sql("UPDATE reporting.divisor SET n = 0")
    shown = f"{DIVIDED}: division_by_zero."
    assert f"consistent group month: {shown}" in manage("refresh_table", "reporting.b", "--table").out
    assert f"- In the consistent group month: {shown}" in manage("explain_view", "reporting.a").lines


@pytest.fixture
def _users() -> Iterator[None]:
    yield
    delete_users()


@pytest.mark.usefixtures("_users")
def test_api_and_page_of_a_run_have_its_groups() -> None:
    load(1)
    refresh()
    caller = api_client(create_user("reader", *READER_PERMISSIONS))
    [group] = get(caller, f"runs/{last_run()}/")["groups"]
    assert (group["name"], group["text"]) == ("month", TOGETHER)
    bars = run_timeline.timeline(last_run(), None).bars
    assert len({bar.lane for bar in bars if bar.consistent_group}) == 1
    rows = get(caller, f"runs/{last_run()}/history/")["results"]
    assert {row["tableName"]: row["consistentGroup"] for row in rows} == {
        **dict.fromkeys(NAMES.split(", "), "month"),
        "reporting.outside": None,
    }
    assert get(caller, "views/reporting.a/explanation/")["lastEnded"]["group"] == group
    assert f"<bdi>month</bdi>, {group['publishedAt'][11:19]}: {TOGETHER}" in get_page(
        client_with(*READER_PERMISSIONS), f"monitoring/run/{last_run()}/"
    )


def test_members_of_other_agencies_are_counted_and_not_named() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.c").update(agency_slug="metro", agency_id=2)
    refresh()
    [group] = run_groups.groups_of_run(last_run(), ["demo"])
    assert str(group) == "reporting.a, reporting.b and 1 view of other agencies became visible together."
    sql("UPDATE reporting.divisor SET n = 0")
    refresh()
    [group] = run_groups.groups_of_run(last_run(), ["demo"])
    assert str(group) == (
        "reporting.a, reporting.b and 1 view of other agencies kept their rows, because of another member."
    )
    assert run_groups.groups_of_run(last_run(), ["other"]) == []
