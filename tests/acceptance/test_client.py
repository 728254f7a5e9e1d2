"""The door of scripts and notebooks: Django is started by name, and the class of its client can be named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from seeder.client import DjangoORMClient, bootstrap_django, get_database_client
from seeder.errors import (
    ClientUnusable,
)
from tests.conftest import CHECKOUT, process_environment

asking = pytest.mark.usefixtures("bare_database")


def script(text: str, *, folder: Path = CHECKOUT, **environment: str) -> str:
    """What a script prints in a process of its own that names no settings."""
    clean = process_environment()
    del clean["DJANGO_SETTINGS_MODULE"]
    clean.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # which this process needs while it has a browser
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


@asking
def test_importing_it_imports_no_django() -> None:
    printed = script(
        "import sys\n"
        "from seeder.client import DatabaseClient, DjangoORMClient, bootstrap_django, get_database_client\n"
        "DjangoORMClient(), get_database_client()\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in {'django', 'psycopg', 'django_q'}))"
    )
    assert printed == "[]\n"


@asking
def test_a_script_starts_django_by_name_and_asks() -> None:
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


@asking
def test_a_second_start_with_other_settings_is_refused_and_the_first_holds() -> None:
    printed = script(
        "from seeder.client import bootstrap_django, get_database_client\n"
        "from seeder.errors import SettingsConflict\n"
        "bootstrap_django('settings.test')\n"
        "try: bootstrap_django('settings.local')\n"
        "except SettingsConflict as error: print(error)\n"
        "print(get_database_client().fetch_value('SELECT 1'))"
    )
    assert printed == (
        "bootstrap_django('settings.local'): Django was already started with 'settings.test', and a process can have"
        " only one settings module. Start another process.\n1\n"
    )


@asking
def test_settings_that_cannot_be_loaded_are_one_line_and_can_be_mended() -> None:
    printed = script(
        "import os\n"
        "from seeder.client import bootstrap_django, get_database_client\n"
        "from seeder.errors import SettingsUnusable\n"
        "for module in ('nowhere.settings', '', 'settings.production'):\n"
        "    try: bootstrap_django(module)\n"
        "    except SettingsUnusable as error: print(error)\n"
        "print(os.environ.get('DJANGO_SETTINGS_MODULE'))\n"
        "bootstrap_django('settings.test')\n"
        "print(get_database_client().fetch_value('SELECT 1'))"
    ).splitlines()
    assert printed[0].startswith("Django cannot start with the settings 'nowhere.settings': No module named 'now")
    assert printed[1].startswith("Django cannot start with the settings '': that is no module's name. ")
    assert "'settings.production': DJANGO_SECRET_KEY has to be a secret" in printed[2]
    assert printed[3:] == ["None", "1"]


@asking
def test_what_settings_raise_of_their_own_is_raised_and_leaves_all_as_before(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text("import os; os.environ['HOST_NEEDS']\n")
    printed = script(
        "import os\n"
        "from seeder.client import bootstrap_django\n"
        "try: bootstrap_django('host')\n"
        "except KeyError as error: print(error, os.environ.get('DJANGO_SETTINGS_MODULE'))\n",
        folder=tmp_path,
    )
    assert printed == "'HOST_NEEDS' None\n"


@asking
def test_an_app_that_is_not_installed_is_one_line_each_time(tmp_path: Path) -> None:
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
    assert printed[1].startswith("Django cannot start with the settings 'host': some of its apps could not be lo")


@asking
def test_settings_that_were_read_before_are_no_reason_not_to_load_the_apps() -> None:
    printed = script(
        "from django.conf import settings; settings.DEBUG\n"
        "from seeder.client import bootstrap_django\n"
        "bootstrap_django('settings.test')\n"
        "from seeder.models import RunHistory; print(RunHistory.__name__)",
        DJANGO_SETTINGS_MODULE="settings.test",
    )
    assert printed == "RunHistory\n"


@asking
def test_an_app_that_is_being_loaded_and_other_threads_may_ask_for_the_same(tmp_path: Path) -> None:
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


@asking
def test_asking_before_django_is_started_says_how() -> None:
    printed = script(
        "from seeder.client import get_database_client\n"
        "from seeder.errors import DjangoNotStarted\n"
        "try: get_database_client().fetch_all('SELECT 1')\n"
        "except DjangoNotStarted as error: print(error)\n"
    )
    assert printed == 'Django is not started yet: call bootstrap_django("host.settings") first.\n'


@asking
def test_a_notebook_whose_cells_run_in_an_event_loop_can_ask() -> None:
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


def test_within_a_django_that_somebody_else_started_it_does_nothing() -> None:
    before = dict(os.environ), settings.SETTINGS_MODULE
    bootstrap_django("nowhere.settings")
    assert (dict(os.environ), settings.SETTINGS_MODULE) == before


# What it answers


def test_without_the_variable_it_is_the_client_of_the_orm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_DB_CLIENT_PATH", raising=False)
    assert type(get_database_client()) is DjangoORMClient
    monkeypatch.setenv("DJANGO_DB_CLIENT_PATH", "")
    assert type(get_database_client()) is DjangoORMClient


@asking
def test_the_variable_names_the_class_and_is_read_when_a_client_is_asked_for(tmp_path: Path) -> None:
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
        ("json.JSONDecoder", "one of the two is missing"),
        (":Client", "one of the two is missing"),
        ("json:", "one of the two is missing"),
        ("json:dumps", "dumps is no class"),
        ("types:MethodType", "takes no keyword arguments|expected 2 arguments|method expected"),
    ],
)
def test_a_path_that_names_no_class_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, path: str, cause: str
) -> None:
    monkeypatch.setenv("DJANGO_DB_CLIENT_PATH", path)
    with pytest.raises(ClientUnusable, match=cause) as refused:
        get_database_client()
    assert str(refused.value).startswith(f"DJANGO_DB_CLIENT_PATH is {path!r}, but must be package.module:Class")
