"""The wheel, and the app installed from it in a project that stands for the upstream package `reporting_models`."""

import json
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance import host_projects, queue_clusters
from tests.acceptance.host_projects import BrowserVisitor, HostProject
from tests.conftest import CHECKOUT, another_session

pytestmark = pytest.mark.slow

DATABASE = "test_reporting_models"
DJANGO = (sys.executable, "-m", "django")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return host_projects.build_wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_has_all_files_of_the_apps_and_no_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        metadata = archive.read(next(name for name in held if name.endswith("METADATA"))).decode()
    sources = (path for package in ("seeder", "data_pipeline") for path in (CHECKOUT / package).rglob("*"))
    expected = {
        str(path.relative_to(CHECKOUT)) for path in sources if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(name).suffix for name in expected} >= {".py", ".sql", ".html", ".css", ".js", ".typed"}
    folder = "reporting_seeder-0.1.0.dist-info"
    assert {name for name in held if not name.startswith(folder)} == expected
    assert "License-Expression: MIT" in metadata


def test_wheel_without_extras_requires_only_django_psycopg_and_rich(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        lines = archive.read(name).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    by_extra: dict[str, set[str]] = {}
    for requirement in required:
        extra = re.search(r"extra == '(.+)'", requirement)
        [name] = re.findall(r"^[\w-]+", requirement)
        by_extra.setdefault(extra[1] if extra else "", set()).add(name)
    assert by_extra.pop("") == {"django", "psycopg", "rich"}
    everything = by_extra.pop("all")
    assert by_extra == {
        "queue": {"django-q2", "croniter"},
        "api": {"djangorestframework", "drf-spectacular"},
        "metrics": {"prometheus-client"},
        "db": {"psycopg"},
        "psycopg-binary": {"psycopg"},
        "xlsx": {"python-calamine"},
        "s3": {"botocore"},
        "http": {"httpx2"},
        "zstd": {"backports-zstd"},
        "redis": {"redis"},
        "yaml": {"pyyaml"},
        "completion": {"argcomplete"},
        "apprise": {"apprise"},
    }
    assert everything == set().union(*by_extra.values())


@pytest.fixture(scope="module")
def host(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, django_databases: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[HostProject]:
    """Create a host project whose owner has created the contract's tables."""
    folder = tmp_path_factory.mktemp("upstream")
    shutil.copytree(CHECKOUT / "tests" / "hosts" / "reporting_models", folder / "reporting_models")
    host_projects.install_wheel(wheel, folder / "site")
    with django_db_blocker.unblock(), host_projects.temporary_database(DATABASE) as inherited:
        settings = {"DJANGO_SETTINGS_MODULE": "reporting_models.settings"}
        upstream = HostProject(
            folder=folder, environment=host_projects.host_environment(inherited, folder / "site", folder, **settings)
        )
        with another_session(dbname=DATABASE) as owner:
            owner.execute((folder / "reporting_models" / "contract.sql").read_bytes())
        yield upstream


@pytest.fixture(scope="module")
def plugged_in(host: HostProject) -> HostProject:
    """Return the host with migrations, the optional tables, a report of each kind, and users."""
    host.output_of(*DJANGO, "migrate")
    created = host.output_of(*DJANGO, "install_schema")
    assert "seeder_queued_refresh" in created
    assert "seeder_run_history" not in created
    host.output_of(*DJANGO, "shell", "-c", _USERS)
    with another_session(dbname=DATABASE) as owner:
        owner.execute(_REPORTS)
    return host


_USERS = """
from django.contrib.auth.models import Permission, User
from reporting_models.models import Agency
Agency.objects.create(id=41, title="Gotham Police")
Agency.objects.create(id=42, title="Metropolis Police")
User.objects.create_superuser("root", password="open sesame")
gotham = User.objects.create_user("gotham", password="open sesame", is_staff=True)
gotham.user_permissions.set(Permission.objects.filter(content_type__app_label="seeder"))
"""
_REPORTS = b"""
INSERT INTO reporting.seeder_custom_report_manifest VALUES
    (1, '"Gotham PD"."Use of Force"', 'Force', 41, 'gotham', 'SELECT 1 AS n', 7, true),
    (2, 'reporting.broken', 'Broken', 42, 'metropolis', 'SELECT 1 / 0 AS n', 7, true),
    (3, 'reporting.elsewhere', 'Elsewhere', 42, 'metropolis', 'SELECT 1 AS n', 8, false);
INSERT INTO reporting.seeder_canned_report VALUES (1, 'reporting.shared', 'Shared', 'SELECT 2 AS n', 7);
INSERT INTO reporting.seeder_canned_report_manifest VALUES (1, 41, 'gotham', 1), (2, 42, 'metropolis', 1);
CREATE SCHEMA "Gotham PD";
"""


def relations() -> list[tuple[Any, ...]]:
    """Return all relations of the schema `reporting` with the transaction that last wrote each definition."""
    with another_session(dbname=DATABASE) as session:
        return session.execute(
            "SELECT c.oid, c.relname, c.xmin::text, a.attname, a.xmin::text, k.oid, k.xmin::text FROM pg_class AS c"
            " LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_constraint AS k ON k.conrelid = c.oid"
            " WHERE c.relnamespace = 'reporting'::regnamespace ORDER BY c.oid, a.attnum, k.oid"
        ).fetchall()


def test_migrate_leaves_contract_tables_unchanged(host: HostProject) -> None:
    before = relations()
    assert {name for _, name, *_ in before} >= {"seeder_run_history", "seeder_job_status"}
    assert "reporting_models.0001_initial" in host.output_of(*DJANGO, "migrate")
    assert "No changes detected" in host.output_of(*DJANGO, "makemigrations", "--check")
    host.output_of(*DJANGO, "migrate", "reporting_models", "zero")
    assert relations() == before


def test_system_checks_find_no_problem(plugged_in: HostProject) -> None:
    output = plugged_in.output_of(*DJANGO, "check", "--database", "default", "--fail-level", "WARNING")
    assert output == "System check identified no issues (0 silenced).\n"


def test_app_is_imported_from_wheel(plugged_in: HostProject) -> None:
    path = plugged_in.output_of(sys.executable, "-c", "import seeder; print(seeder.__file__)").strip()
    assert Path(path) == plugged_in.folder / "site" / "seeder" / "__init__.py"


def test_commands_refresh_and_report(plugged_in: HostProject) -> None:
    output = plugged_in.output_of(*DJANGO, "refresh_agency", "gotham")
    assert '"Gotham PD"."Use of Force"' in output
    assert "2 succeeded, 0 failed" in output
    everything = plugged_in.run(*DJANGO, "refresh_all", "--json")
    assert everything.exit_code == 1
    [failed] = [view for view in json.loads(everything.out)["views"] if view["outcome"] == "failed"]
    assert (failed["view"], failed["reason"]) == ("reporting.broken", "division_by_zero")
    status = plugged_in.run(*DJANGO, "refresh_status", "--json", "--fail-on", "failing")
    assert status.exit_code == 1
    jobs = {job["tableName"]: job["agencyName"] for job in json.loads(status.out)["jobs"]}
    assert jobs["reporting.broken"] == "Metropolis Police"


def test_host_command_is_listed_and_run_as_job(plugged_in: HostProject) -> None:
    script = plugged_in.folder / "site" / "bin" / "reporting-seeder"
    jobs = plugged_in.output_of(sys.executable, script, "list")
    assert "close_month" in jobs
    assert "refresh_all" in jobs
    assert plugged_in.output_of(sys.executable, script, "run", "close_month", "--", "October") == "October is closed\n"
    assert plugged_in.run(sys.executable, script, "run", "close_month", "--", "never").exit_code == 3


def test_pages_and_api_show_only_visible_agencies(plugged_in: HostProject) -> None:
    plugged_in.output_of(*DJANGO, "refresh_agency", "gotham")
    with plugged_in.runserver(*DJANGO) as address:
        gotham = BrowserVisitor(address)
        gotham.log_in("/office/", "gotham", "open sesame")
        code, page = gotham.get("/office/seeder/monitoring/")
        assert (code, "Use of Force" in page, "<bdi>Gotham Police</bdi>" in page) == (200, True, True)
        assert '<option value="gotham">Gotham Police</option>' in page
        assert "Gotham Police" in gotham.get("/office/seeder/runhistory/")[1]
        assert "reporting.broken" not in page
        assert gotham.get("/office/seeder/monitoring/view/?table=reporting.broken")[0] == 404
        assert "Gotham Police" in gotham.get("/office/seeder/monitoring/view/?table=reporting.shared")[1]
        [style] = {part.partition('"')[0] for part in page.split('href="') if "pages.css" in part.partition('"')[0]}
        assert gotham.get(style)[0] == 200
        code, answer = gotham.get("/reports/upkeep/v1/jobs/")
        jobs = json.loads(answer)["results"]
        assert {(job["reportName"], job["agencyName"]) for job in jobs} == {
            ("Force", "Gotham Police"),
            ("Shared", "Gotham Police"),
        }
        stranger = BrowserVisitor(address)
        assert stranger.get("/reports/upkeep/v1/jobs/")[0] == 401
        assert stranger.get("/reports/upkeep/health/alive")[0] == 200
        assert stranger.get("/reports/upkeep/health/ready")[0] == 200
        assert stranger.get("/reports/upkeep/metrics")[0] == 401
        root = BrowserVisitor(address)
        root.log_in("/office/", "root", "open sesame")
        assert "reporting.shared" in root.get("/reports/upkeep/metrics")[1]


def test_host_queue_runs_queued_refresh(plugged_in: HostProject) -> None:
    with plugged_in.background_command(*DJANGO, "watch_queue"), another_session(dbname=DATABASE) as session:
        queued = json.loads(plugged_in.output_of(*DJANGO, "refresh_agency", "gotham", "--queue", "--json"))
        ended = (
            "SELECT succeeded, failed FROM reporting.seeder_queued_refresh WHERE request_id = %s AND state = 'ended'"
        )
        queue_clusters.wait_until(lambda: session.execute(ended, (queued["requestId"],)).fetchall() == [(2, 0)])
