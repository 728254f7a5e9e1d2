"""Routing by database_id."""

import pytest
from pytest_django import Settings

from seeder.domain.requests import Everything
from seeder.models import CustomReportManifest, RunHistory
from seeder.services import runs
from tests.conftest import custom, sql

pytestmark = pytest.mark.usefixtures("reporting")


def test_without_a_map_every_id_means_the_default_database() -> None:
    custom("reporting.a", "SELECT 1 AS n")
    CustomReportManifest.objects.update(database_id=42)
    assert runs.execute(Everything()).failed == 0


def test_with_a_map_an_id_that_is_not_in_it_is_that_manifest_s_error(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default"}}
    custom("reporting.a", "SELECT 1 AS n")
    CustomReportManifest.objects.update(database_id=42)
    custom("reporting.b", "SELECT 1 AS n")
    summary = runs.execute(Everything())
    assert (summary.succeeded, summary.failed) == (1, 1)
    assert RunHistory.objects.get(table_name="reporting.a").errors == (
        "The manifest's database_id 42 is none of [1], which SEEDER['DATABASES'] maps to a database."
    )
    assert sql("SELECT to_regclass('reporting.a') IS NULL") == [(True,)]
