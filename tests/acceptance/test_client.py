"""`seeder.client`: starting Django, and the class of the client."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from seeder.client import DjangoORMClient, bootstrap_django, get_database_client
from seeder.errors import ClientUnusable
from tests.conftest import CHECKOUT, process_environment

needs_database = pytest.mark.usefixtures("bare_database")


def script(text: str, *, folder: Path = CHECKOUT, **environment: str) -> str:
    """Run a script in a process without DJANGO_SETTINGS_MODULE, and return its output."""
    clean = process_environment()
    del clean["DJANGO_SETTINGS_MODULE"]
    clean.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # set by the browser tests
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@needs_database
def test_importing_client_imports_no_django() -> None:
    printed = script(
        "import sys\n"
        "from seeder.client import DatabaseClient, DjangoORMClient, bootstrap_django, get_database_client\n"
        "DjangoORMClient(), get_database_client()\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in {'django', 'psycopg', 'django_q'}))"
    )
    assert printed == "[]\n"


@needs_database
@pytest.mark.slow
def test_bootstrap_twice_starts_django_once() -> None:
    printed = script(
        "from seeder.client import bootstrap_django, get_database_client\n"
        "bootstrap_django('settings.test')\n"
        "bootstrap_django('settings.test')\n"
        "print(get_database_client().fetch_all('SELECT 1 AS one'))\n"
        "from seeder.models import RunHistory\n"
        "import os; print(os.environ['DJANGO_SETTINGS_MODULE'], os.environ.get('DJANGO_ALLOW_ASYNC_UNSAFE'))",
        DJANGO_SETTINGS_MODULE="settings.production",
    )
    assert printed == "[{'one': 1}]\nsettings.test None\n"


@needs_database
@pytest.mark.slow
def test_bootstrap_with_other_settings_keeps_the_first() -> None:
    printed = script(
        "from seeder.client import bootstrap_django, get_database_client\n"
        "bootstrap_django('settings.test')\n"
        "bootstrap_django('settings.local')\n"
        "import os; print(os.environ['DJANGO_SETTINGS_MODULE'], get_database_client().fetch_value('SELECT 1'))"
    )
    assert printed == "settings.test 1\n"


@needs_database
@pytest.mark.slow
def test_unusable_settings_raise_one_line_and_can_be_corrected() -> None:
    printed = script(
        "import os\n"
        "from seeder.client import bootstrap_django, get_database_client\n"
        "from seeder.errors import SettingsUnusable\n"
        "for module in ('nowhere.settings', 'settings.production'):\n"
        "    try: bootstrap_django(module)\n"
        "    except SettingsUnusable as error: print(error)\n"
        "print(os.environ.get('DJANGO_SETTINGS_MODULE'))\n"
        "bootstrap_django('settings.test')\n"
        "print(get_database_client().fetch_value('SELECT 1'))"
    ).splitlines()
    assert printed[0].startswith("Django cannot start with the settings 'nowhere.settings': No module named 'now")
    assert "'settings.production': DJANGO_SECRET_KEY must be a secret" in printed[1]
    assert printed[2:] == ["None", "1"]


@needs_database
def test_error_of_settings_module_is_raised_unchanged(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text("import os; os.environ['HOST_NEEDS']\n")
    printed = script(
        "import os\n"
        "from seeder.client import bootstrap_django\n"
        "try: bootstrap_django('host')\n"
        "except KeyError as error: print(error, os.environ.get('DJANGO_SETTINGS_MODULE'))\n",
        folder=tmp_path,
    )
    assert printed == "'HOST_NEEDS' None\n"


@needs_database
def test_missing_app_raises_the_same_line_on_every_call(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text("INSTALLED_APPS = ['seeder', 'nowhere']\n")
    printed = script(
        "from seeder.client import bootstrap_django\n"
        "from seeder.errors import SettingsUnusable\n"
        "for _ in range(2):\n"
        "    try: bootstrap_django('host')\n"
        "    except SettingsUnusable as error: print(error)\n",
        folder=tmp_path,
    ).splitlines()
    assert printed[0].startswith("Django cannot start with the settings 'host': No module named 'nowhere'. ")
    assert printed[1:] == printed[:1]


@pytest.mark.slow
@needs_database
def test_bootstrap_loads_apps_if_settings_were_already_read() -> None:
    printed = script(
        "from django.conf import settings; settings.DEBUG\n"
        "from seeder.client import bootstrap_django\n"
        "bootstrap_django('settings.test')\n"
        "from seeder.models import RunHistory; print(RunHistory.__name__)",
        DJANGO_SETTINGS_MODULE="settings.test",
    )
    assert printed == "RunHistory\n"


@needs_database
def test_bootstrap_in_loading_app_and_other_thread_waits_for_start(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text("INSTALLED_APPS = ['reports']\n")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "__init__.py").write_text("")
    (tmp_path / "reports" / "models.py").write_text(
        "from threading import Thread\n"
        "from seeder.client import bootstrap_django\n"
        "bootstrap_django('host')\n"
        "def other():\n"
        "    from django.apps import apps\n"
        "    bootstrap_django('host')\n"
        "    print(apps.ready)\n"
        "thread = Thread(target=other); thread.start(); thread.join(0.2)\n"
    )
    printed = script(
        "from seeder.client import bootstrap_django\n"
        "bootstrap_django('host')\n"
        "from reports.models import thread; thread.join()",
        folder=tmp_path,
    )
    assert printed == "True\n"


@needs_database
def test_statement_without_settings_raises_the_error_of_django() -> None:
    printed = script(
        "from seeder.client import get_database_client\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        "try: get_database_client().fetch_all('SELECT 1')\n"
        "except ImproperlyConfigured as error: print(error)\n"
    )
    assert "settings are not configured" in printed


@needs_database
@pytest.mark.slow
def test_statement_in_notebook_runs_inside_event_loop() -> None:
    printed = script(
        "import asyncio, sys, types\n"
        "sys.modules['ipykernel'] = types.ModuleType('ipykernel')\n"
        "from seeder.client import bootstrap_django, get_database_client\n"
        "async def cell():\n"
        "    bootstrap_django('settings.test')\n"
        "    print(get_database_client().fetch_value('SELECT 1'))\n"
        "asyncio.run(cell())"
    )
    assert printed == "1\n"


def test_bootstrap_does_nothing_if_django_is_started() -> None:
    before = dict(os.environ), settings.SETTINGS_MODULE
    bootstrap_django("nowhere.settings")
    assert (dict(os.environ), settings.SETTINGS_MODULE) == before


def test_client_without_variable_is_the_orm_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_DB_CLIENT_PATH", raising=False)
    assert type(get_database_client()) is DjangoORMClient
    monkeypatch.setenv("DJANGO_DB_CLIENT_PATH", "")
    assert type(get_database_client()) is DjangoORMClient


@needs_database
def test_client_class_is_read_from_variable_on_each_call(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text("class Canned:\n    def fetch_value(self, sql): return 'canned ' + sql\n")
    printed = script(
        "import os, sys\n"
        "from seeder.client import get_database_client\n"
        "os.environ['DJANGO_DB_CLIENT_PATH'] = 'ours:Canned'\n"
        "assert 'ours' not in sys.modules\n"
        "print(get_database_client().fetch_value('x'))",
        folder=tmp_path,
    )
    assert printed == "canned x\n"


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("nowhere:Client", "No module named 'nowhere'"),
        ("json:Client", "module 'json' has no attribute 'Client'"),
        ("json.JSONDecoder", "No module named 'json.JSONDecoder'"),
        (":Client", "Empty module name"),
        ("json:", "module 'json' has no attribute ''"),
        ("json:dumps", "missing 1 required positional argument"),
        ("types:MethodType", "takes no keyword arguments|expected 2 arguments|method expected"),
    ],
)
def test_invalid_client_path_raises_one_line_with_variable(
    monkeypatch: pytest.MonkeyPatch, path: str, cause: str
) -> None:
    monkeypatch.setenv("DJANGO_DB_CLIENT_PATH", path)
    with pytest.raises(ClientUnusable, match=cause) as raised:
        get_database_client()
    assert str(raised.value).startswith(f"DJANGO_DB_CLIENT_PATH is {path!r}, but must be package.module:Class")
