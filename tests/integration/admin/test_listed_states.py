"""The lists show how the last refresh of a view ended: failed, held and interrupted are different."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest, JobStatus, RunHistory, RunMetrics
from seeder.services.run.run_liveness_lock import RunLock
from tests.conftest import create_custom_manifest
from tests.integration.admin.admin_clients import client_with, get_page

pytestmark = pytest.mark.usefixtures("reports")

READER = ("view_manifests", "view_jobstatus", "view_runhistory")
_STATE = re.compile(r'class="bar-state ([\w ]+)"')


def end(view: str, *, reason: str | None = None, errors: str | None = None) -> None:
    """Let the last refresh of a view end with an error."""
    row = RunHistory.objects.filter(table_name=view).latest("id")
    RunHistory.objects.filter(pk=row.pk).update(status="error", errors=errors)
    failures = 0 if reason is None else 1
    JobStatus.objects.filter(table_name=view).update(status="error", last_errors=errors, consecutive_failures=failures)
    RunMetrics.objects.update_or_create(history_id=row.pk, defaults={"reason": reason})


def states(path: str, **query: str) -> list[str]:
    if (reader := User.objects.filter(username="reader").first()) is None:
        return _STATE.findall(get_page(client_with(*READER, name="reader"), path, **query))
    client = Client()
    client.force_login(reader)
    return _STATE.findall(get_page(client, path, **query))


def shown_states(view: str) -> set[str]:
    """Return the states of a view in the list of latest states, and in those of its manifests and on their pages."""
    found = states("jobstatus/", q=view)
    for model in (CustomReportManifest, CannedReport):
        for row in model.objects.filter(table_name=view):
            name = model._meta.model_name
            found += states(f"{name}/", q=view.rpartition(".")[2]) + states(f"{name}/{row.pk}/change/")
    for row in CannedReportManifest.objects.filter(canned_report__table_name=view):
        found += states(f"cannedreportmanifest/{row.pk}/change/")
    return set(found)


@pytest.mark.parametrize("view", ["reporting.good", "reporting.shared"])
def test_failed_held_and_interrupted_views_differ(view: str) -> None:
    assert shown_states(view) == {"succeeded"}
    end(view, reason="division_by_zero", errors="division by zero")
    assert shown_states(view) == {"failed"}
    for reason in ("held", "held_dependency", "held_group"):
        end(view, reason=reason, errors="a check")
        assert shown_states(view) == {"held"}
    end(view, errors="interrupted: SIGTERM")
    assert shown_states(view) == {"interrupted"}


def test_view_of_a_killed_run_is_interrupted_in_every_list() -> None:
    row = RunHistory.objects.filter(table_name="reporting.good").latest("id")
    RunHistory.objects.filter(pk=row.pk).update(status="running")
    JobStatus.objects.filter(table_name="reporting.good").update(status="running", last_run_id=row.run_id)
    assert shown_states("reporting.good") == {"interrupted"}
    assert states("runhistory/", q="reporting.good") == ["interrupted"]
    with RunLock(row.run_id):
        assert shown_states("reporting.good") == {"running"}
        assert states("runhistory/", q="reporting.good") == ["running"]


def test_view_that_never_ran_has_its_own_word() -> None:
    create_custom_manifest("reporting.later", "SELECT 1 AS n")
    assert states("customreportmanifest/", q="later") == ["not run yet"]
