"""A host with `seeder` as its only app: no admin, users, queue or REST framework."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg_pool
import pytest

from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment

pytestmark = [pytest.mark.slow]

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
_STATUSES = """
import django
django.setup()
from django.test import Client
for place in ("health/alive", "health/ready", "metrics", "v1/jobs/"):
    print(place, Client().get(f"/seeder/{place}").status_code)
"""

_BODY = """
import django
django.setup()
from django.test import Client
print(Client().get("/seeder/{place}", headers={{"Authorization": "Bearer {token}"}}).content.decode())
"""


@pytest.fixture
def bare(tmp_path: Path, contract_tables: None) -> Path:
    (tmp_path / "bare.py").write_text(_SETTINGS)
    (tmp_path / "bare_urls.py").write_text(_URLS)
    return tmp_path


def run(folder: Path, *command: str, missing: str = "") -> CompletedCommand:
    """Run Python in the host's folder. `missing` names modules that appear not to be installed."""
    hide = "import sys\nsys.modules.update(dict.fromkeys({names}))\n"
    (folder / "sitecustomize.py").write_text(hide.format(names=missing.split()))
    path = os.pathsep.join([os.fspath(folder), os.fspath(CHECKOUT)])
    environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "bare", "PYTHONPATH": path}
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return CompletedCommand(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)


def test_bare_host_has_probes_and_no_api(bare: Path) -> None:
    ended = run(bare, "-c", _STATUSES)
    assert ended.out.splitlines() == ["health/alive 200", "health/ready 200", "metrics 401", "v1/jobs/ 404"], ended.err


@pytest.mark.parametrize("command", ["schedule_refreshes", "watch_queue"])
def test_queue_command_without_queue_app_prints_one_line(command: str, bare: Path) -> None:
    ended = run(bare, "-m", "django", command)
    [line] = ended.err.splitlines()
    assert "django_q is not among INSTALLED_APPS" in line
    assert ended.exit_code == 2


# What a host sees if an extra is not installed

EVERY_EXTRA = "django_q croniter rest_framework drf_spectacular drf_spectacular_sidecar prometheus_client"
QUEUE = "needs django-q2: pip install 'reporting-seeder[queue]'"
NEEDS_SPECTACULAR = "The API needs drf-spectacular: pip install 'reporting-seeder[api]'"


def last_line(ended: CompletedCommand) -> str:
    assert ended.exit_code != 0
    return ended.err.splitlines()[-1]


def test_host_without_any_extra_refreshes_and_reports_health(bare: Path) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    refreshed = run(bare, "-m", "django", "refresh_all", missing=EVERY_EXTRA)
    assert (refreshed.exit_code, refreshed.err) == (0, "")
    assert "1 succeeded, 0 failed" in refreshed.out
    checked = run(
        bare, "-m", "django", "check", "--database", "default", "--fail-level", "WARNING", missing=EVERY_EXTRA
    )
    assert (checked.exit_code, "no issues" in checked.out) == (0, True), checked.err
    ended = run(bare, "-c", _STATUSES, missing=EVERY_EXTRA)
    assert ended.out.splitlines() == ["health/alive 200", "health/ready 200", "metrics 401", "v1/jobs/ 404"], ended.err
    listed = run(bare, "-m", "seeder.console", "list", missing=EVERY_EXTRA)
    assert (listed.exit_code, listed.err) == (0, "")


@pytest.mark.parametrize(
    "command", [["refresh_all", "--queue"], ["schedule_refreshes"], ["watch_queue"]], ids=lambda command: command[0]
)
def test_queue_command_without_django_q2_names_the_extra(command: list[str], bare: Path) -> None:
    ended = run(bare, "-m", "django", *command, missing="django_q")
    [line] = ended.err.splitlines()
    assert f"the queue {QUEUE}, then add 'django_q' to INSTALLED_APPS" in line
    assert ended.exit_code == 2


@pytest.mark.parametrize("command", ["schedule_refreshes", "watch_queue"])
def test_queue_command_without_croniter_names_the_extra(command: str, bare: Path) -> None:
    add(bare, "INSTALLED_APPS.append('django_q')\nfrom seeder.defaults import Q_CLUSTER\n")
    assert run(bare, "-m", "django", "migrate", "--skip-checks").exit_code == 0
    ended = run(bare, "-m", "django", command, missing="croniter")
    [line] = ended.err.splitlines()
    assert line.endswith("needs croniter: pip install 'reporting-seeder[queue]'")
    assert ended.exit_code == 2
    checked = run(bare, "-m", "django", "check", missing="croniter")
    assert "(seeder.E017) The queue ('django_q' in INSTALLED_APPS) needs croniter" in checked.err
    assert "Traceback" not in checked.err


@pytest.mark.parametrize(
    ("app", "advice"),
    [
        ("django_q", f"The module django_q {QUEUE}"),
        ("rest_framework", "The module rest_framework needs djangorestframework: pip install 'reporting-seeder[api]'"),
        (
            "drf_spectacular_sidecar",
            "The module drf_spectacular_sidecar needs drf-spectacular[sidecar]: pip install 'reporting-seeder[api]'",
        ),
    ],
)
def test_installed_app_that_is_missing_names_the_extra(app: str, advice: str, bare: Path) -> None:
    add(bare, f"INSTALLED_APPS.append('{app}')\n")
    ended = run(bare, "-m", "seeder.console", "list", missing=app)
    assert (ended.exit_code, ended.err) == (2, f"reporting-seeder: {advice}\n")
    assert last_line(run(bare, "-m", "django", "check", missing=app)) == f"seeder.errors.ExtraMissing: {advice}"


def test_installed_app_that_is_missing_before_seeder_names_the_extra(bare: Path) -> None:
    add(bare, "INSTALLED_APPS.insert(0, 'django_q')\n")
    ended = run(bare, "-m", "seeder.console", "list", missing="django_q")
    assert (ended.exit_code, ended.err) == (2, f"reporting-seeder: The module django_q {QUEUE}\n")


@pytest.mark.parametrize(
    ("module", "missing", "advice"),
    [
        ("seeder.tasks", "django_q", f"seeder.tasks {QUEUE}"),
        ("seeder.api.urls", "drf_spectacular", NEEDS_SPECTACULAR.replace("The API", "seeder.api")),
    ],
)
def test_module_imported_without_its_extra_names_it(module: str, missing: str, advice: str, bare: Path) -> None:
    statement = f"import django; django.setup()\ntry: import {module}\nexcept ImportError as error: print(error)"
    ended = run(bare, "-c", statement, missing=missing)
    assert ended.out == f"{advice}\n", ended.err


def test_api_without_drf_spectacular_answers_501_and_fails_the_check(bare: Path) -> None:
    add(bare, "INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes', 'rest_framework']\n")
    ended = run(bare, "-c", _STATUSES, missing="drf_spectacular")
    assert ended.out.splitlines() == ["health/alive 200", "health/ready 200", "metrics 401", "v1/jobs/ 501"], ended.err
    page = run(bare, "-c", _BODY.format(place="v1/jobs/", token=""), missing="drf_spectacular")
    assert page.out == f"{NEEDS_SPECTACULAR}\n\n"
    checked = run(bare, "-m", "django", "check", missing="drf_spectacular")
    assert "(seeder.E017) The API ('rest_framework' in INSTALLED_APPS) needs drf-spectacular" in checked.err
    assert "Traceback" not in checked.err


def test_metrics_without_prometheus_client_answer_501_and_fail_the_check(bare: Path) -> None:
    add(bare, "SEEDER = {'METRICS_TOKEN': '0123456789abcdef'}\n")
    page = run(bare, "-c", _BODY.format(place="metrics", token="0123456789abcdef"), missing="prometheus_client")
    assert page.out == "The metrics endpoint needs prometheus-client: pip install 'reporting-seeder[metrics]'\n\n"
    checked = run(bare, "-m", "django", "check", missing="prometheus_client")
    assert "(seeder.E017) The metrics endpoint (METRICS_TOKEN) needs prometheus-client" in checked.err


def test_driver_without_libpq_names_the_extra(bare: Path) -> None:
    without = 'import sys, ctypes.util\nsys.modules["psycopg_binary"] = sys.modules["psycopg_c"] = None\n'
    without += "ctypes.util.find_library = lambda name: None\n"
    command = "import runpy, sys\nsys.argv[1:] = ['list']\nrunpy.run_module('seeder.console', run_name='__main__')\n"
    ended = run(bare, "-c", without + command)
    [line] = ended.err.splitlines()
    assert ended.exit_code == 2
    assert "psycopg without the libpq of the system needs psycopg-binary" in line
    assert line.endswith(": pip install 'reporting-seeder[psycopg-binary]'")


def add(folder: Path, settings: str) -> None:
    with (folder / "bare.py").open("a") as file:
        file.write(settings)


def test_host_without_time_zones_is_rejected_in_one_line(bare: Path) -> None:
    (bare / "bare.py").write_text(f"{_SETTINGS}\nUSE_TZ = False\n")
    ended = run(bare, "-m", "django", "refresh_all")
    assert ended.err == "CommandError: USE_TZ is False, but must be True: every instant has a time zone.\n"
    assert ended.exit_code == 2
    assert "seeder.E001" in run(bare, "-m", "django", "check").err


def test_router_to_another_database_is_rejected_in_one_line(bare: Path) -> None:
    replica = "class Router:\n    def db_for_read(self, model, **hints):\n        return 'replica'\n"
    (bare / "routers.py").write_text(replica)
    routed = "DATABASES['replica'] = DATABASES['default']\nDATABASE_ROUTERS = ['routers.Router']\n"
    (bare / "bare.py").write_text(_SETTINGS + routed)
    ended = run(bare, "-m", "django", "refresh_all")
    [line] = ended.err.splitlines()
    assert "DATABASE_ROUTERS choose for seeder." in line
    assert ended.exit_code == 2
    assert "seeder.E016" in run(bare, "-m", "django", "check").err


@pytest.mark.parametrize(("max_size", "workers"), [(2, 1), (3, 2)])
def test_run_uses_no_more_workers_than_the_connection_pool_allows(bare: Path, max_size: int, workers: int) -> None:
    pool = f"{{'pool': {{'min_size': 1, 'max_size': {max_size}, 'timeout': 5}}}}"
    path = f"import sys\nsys.path.append({str(Path(psycopg_pool.__file__).parent.parent)!r})\n"
    (bare / "bare.py").write_text(f"{path}{_SETTINGS}DATABASES['default']['OPTIONS'] = {pool}\n")
    for number in range(6):
        create_custom_manifest(f"reporting.a{number}", "SELECT 1 AS n FROM pg_sleep(0.2)")
    for _ in range(2):
        ended = run(bare, "-m", "django", "refresh_all")
        assert (ended.exit_code, ended.err) == (0, "")
        assert f"6 views, {workers} worker" in ended.lines[0]
        assert f"has a connection pool of {max_size}, so the run has {workers} worker" in ended.out


def test_cluster_with_a_connection_pool_is_rejected(bare: Path) -> None:
    queue = "INSTALLED_APPS.append('django_q')\nfrom seeder.defaults import Q_CLUSTER\n"
    pool = "DATABASES['default']['OPTIONS'] = {'pool': {'min_size': 1}}\n"
    (bare / "bare.py").write_text(_SETTINGS + queue + pool)
    ended = run(bare, "-m", "django", "watch_queue")
    [line] = ended.err.splitlines()
    assert line.startswith("CommandError: A cluster cannot run with these settings: DATABASES['default']['OPTIONS']")
    assert ended.exit_code == 2
