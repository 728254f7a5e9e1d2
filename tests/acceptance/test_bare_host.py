"""A host that names `seeder` among its apps and nothing else: no admin, no logins, no queue, no REST framework."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, CompletedCommand, process_environment

pytestmark = [pytest.mark.slow, pytest.mark.versions]

_SETTINGS = """
import os
SECRET_KEY = "bare"
INSTALLED_APPS = ["seeder"]
SERVER = {key: os.environ[f"DB_{key}"] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **SERVER}}
ROOT_URLCONF = "bare_urls"
ALLOWED_HOSTS = ["testserver"]
"""
_URLS = """
from django.urls import include, path
urlpatterns = [path("seeder/", include("seeder.urls"))]
"""
_ASKED = """
import django
django.setup()
from django.test import Client
for place in ("health/alive", "health/ready", "metrics", "v1/jobs/"):
    print(place, Client().get(f"/seeder/{place}").status_code)
"""


@pytest.fixture
def bare(tmp_path: Path, contract_tables: None) -> Path:
    (tmp_path / "bare.py").write_text(_SETTINGS)
    (tmp_path / "bare_urls.py").write_text(_URLS)
    return tmp_path


def run(folder: Path, *command: str) -> CompletedCommand:
    path = os.pathsep.join([os.fspath(folder), os.fspath(CHECKOUT)])
    environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "bare", "PYTHONPATH": path}
    ended = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    return CompletedCommand(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)


def test_it_is_watched_and_has_no_api(bare: Path) -> None:
    told = run(bare, "-c", _ASKED)
    assert told.out.splitlines() == ["health/alive 200", "health/ready 200", "metrics 401", "v1/jobs/ 404"], told.err


@pytest.mark.parametrize("command", ["schedule_refreshes", "watch_queue"])
def test_what_needs_a_queue_says_in_one_line_that_there_is_none(command: str, bare: Path) -> None:
    ended = run(bare, "-m", "django", command)
    [line] = ended.err.splitlines()
    assert "django_q is not among INSTALLED_APPS" in line
    assert ended.exit_code == 2


def test_a_host_without_time_zones_is_refused_in_one_line(bare: Path) -> None:
    (bare / "bare.py").write_text(f"{_SETTINGS}\nUSE_TZ = False\n")
    ended = run(bare, "-m", "django", "refresh_all")
    assert ended.err == "CommandError: USE_TZ is False, but must be True: every instant has a time zone.\n"
    assert ended.exit_code == 2
    assert "seeder.E001" in run(bare, "-m", "django", "check").err


def test_a_router_that_sends_our_rows_elsewhere_is_refused_in_one_line(bare: Path) -> None:
    replica = "class Router:\n    def db_for_read(self, model, **hints):\n        return 'replica'\n"
    (bare / "routers.py").write_text(replica)
    routed = "DATABASES['replica'] = DATABASES['default']\nDATABASE_ROUTERS = ['routers.Router']\n"
    (bare / "bare.py").write_text(_SETTINGS + routed)
    ended = run(bare, "-m", "django", "refresh_all")
    [line] = ended.err.splitlines()
    assert "DATABASE_ROUTERS choose for seeder." in line
    assert ended.exit_code == 2
    assert "seeder.E016" in run(bare, "-m", "django", "check").err


def test_no_cluster_is_run_with_settings_that_it_cannot_work_with(bare: Path) -> None:
    queue = "INSTALLED_APPS.append('django_q')\nfrom seeder.defaults import Q_CLUSTER\n"
    pool = "DATABASES['default']['OPTIONS'] = {'pool': {'min_size': 1}}\n"
    (bare / "bare.py").write_text(_SETTINGS + queue + pool)
    ended = run(bare, "-m", "django", "watch_queue")
    [line] = ended.err.splitlines()
    assert line.startswith("CommandError: A cluster cannot run with these settings: DATABASES['default']['OPTIONS']")
    assert ended.exit_code == 2
