"""The door of scripts and notebooks: Django is started by name, and its database asked."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError

from seeder.client import DjangoORMClient, bootstrap_django, get_database_client
from seeder.errors import (
    ClientUnusable,
    ColumnsNamedTwice,
    ConfigurationError,
    SeederError,
    ServerUnreachable,
    StatementRefused,
    TransactionUndone,
)
from tests.conftest import CHECKOUT, process_environment, sql

asking = pytest.mark.usefixtures("bare_database")


def script(text: str, *, folder: Path = CHECKOUT, **environment: str) -> str:
    """What a script prints in a process of its own that names no settings."""
    clean = process_environment()
    del clean["DJANGO_SETTINGS_MODULE"]
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
        "from seeder.errors import OtherSettings\n"
        "bootstrap_django('settings.test')\n"
        "try: bootstrap_django('settings.local')\n"
        "except OtherSettings as error: print(error)\n"
        "print(get_database_client().fetch_value('SELECT 1'))"
    )
    assert printed == (
        "bootstrap_django('settings.local'): Django was started with 'settings.test' before, and a process can have"
        " only one. Start another process.\n1\n"
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
    assert printed[0].startswith("Django cannot be started with the settings 'nowhere.settings': No module named 'now")
    assert printed[1].startswith("Django cannot be started with the settings '': that is no module's name. ")
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
    assert printed[0].startswith("Django cannot be started with the settings 'host': No module named 'nowhere'. ")
    assert printed[1].startswith("Django cannot be started with the settings 'host': some of its apps could not be lo")


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
        "from seeder.errors import NotStarted\n"
        "try: get_database_client().fetch_all('SELECT 1')\n"
        "except NotStarted as error: print(error)\n"
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
    bootstrap_django("nowhere.settings")


# What it answers


@asking
def test_rows_come_by_the_names_of_their_columns_as_values_of_python() -> None:
    [row] = DjangoORMClient().fetch_all(
        "SELECT 1 AS n, 1.5 AS d, jsonb '{\"a\": [1]}' AS j, ARRAY['x'] AS a, NULL AS nothing,"
        " 'pg_class'::regclass AS r, timestamptz '2026-01-01 12:00+01' AS at"
    )
    assert row == {
        "n": 1,
        "d": Decimal("1.5"),
        "j": {"a": [1]},
        "a": ["x"],
        "nothing": None,
        "r": "pg_class",
        "at": datetime(2026, 1, 1, 11, tzinfo=UTC),
    }


@asking
def test_one_row_one_value_and_none_where_there_is_nothing() -> None:
    client = DjangoORMClient()
    assert client.fetch_one("SELECT n FROM generate_series(7, 9) AS n") == {"n": 7}
    assert client.fetch_value("SELECT n, 1 FROM generate_series(7, 9) AS n") == 7
    assert client.fetch_all("SELECT 1 AS n WHERE false") == []
    assert client.fetch_one("SELECT 1 AS n WHERE false") is None
    assert client.fetch_value("SELECT 1 AS n WHERE false") is None


@asking
def test_a_percent_is_only_a_character_unless_there_are_parameters() -> None:
    client = DjangoORMClient()
    assert client.fetch_value("SELECT '100%s %(x)s %'") == "100%s %(x)s %"
    assert client.fetch_value("SELECT '100%'", []) == "100%"
    assert client.fetch_value("SELECT %s || '%%'", ["100"]) == "100%"
    assert client.fetch_value("SELECT %(who)s", {"who": "O'Neil; DROP TABLE x"}) == "O'Neil; DROP TABLE x"


@asking
def test_executing_says_how_many_rows_it_was_about() -> None:
    client = DjangoORMClient()
    assert client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int)") == 0
    assert client.execute("INSERT INTO desk.notes SELECT generate_series(1, %s)", [5]) == 5
    assert client.execute("DELETE FROM desk.notes WHERE n > 3") == 2
    assert client.fetch_all("DELETE FROM desk.notes WHERE n = 3") == []
    assert client.fetch_all("INSERT INTO desk.notes VALUES (4) RETURNING n") == [{"n": 4}]
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (2,), (4,)]


@asking
def test_several_statements_are_one_transaction_and_answered_as_the_last_is() -> None:
    client = DjangoORMClient()
    assert client.fetch_all("SELECT 1 AS first; SELECT 2 AS last") == [{"last": 2}]
    with pytest.raises(StatementRefused, match="division by zero"):
        client.execute("CREATE SCHEMA desk; SELECT 1/0")
    assert sql("SELECT 1 FROM pg_namespace WHERE nspname = 'desk'") == []


@asking
@pytest.mark.parametrize("around", [nullcontext, DjangoORMClient().transaction], ids=["alone", "in a transaction"])
def test_many_rows_come_a_few_at_a_time_from_a_cursor_on_the_server(
    around: Callable[[], AbstractContextManager[None]],
) -> None:
    client = DjangoORMClient()

    with around():
        rows = client.fetch_iter("SELECT n, jsonb '[]' AS j FROM generate_series(1, %s) AS n", [10], size=3)
        assert next(rows) == {"n": 1, "j": []}
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 1
        assert [row["n"] for row in rows] == [*range(2, 11)]
        left = client.fetch_iter("SELECT generate_series(1, 10) AS n", size=3)
        next(left)
        del left  # as a loop that is left does
        assert client.fetch_value("SELECT count(*) FROM pg_cursors") == 0


@asking
def test_a_transaction_holds_together_and_one_within_it_is_a_part() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")

    def undone(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2)")
            client.execute(last)

    with client.transaction():
        client.execute("INSERT INTO desk.notes VALUES (1)")
        with pytest.raises(StatementRefused):
            undone("INSERT INTO desk.notes VALUES (1)")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]
    with pytest.raises(StatementRefused):
        undone("SELECT 1/0")
    assert sql("SELECT n FROM desk.notes ORDER BY n") == [(1,), (3,)]


@asking
def test_a_transaction_that_cannot_be_kept_says_so() -> None:
    client = DjangoORMClient()
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

    def swallowed(last: str) -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (1)")
            with suppress(SeederError):
                client.execute(last)

    def too_late() -> None:
        with client.transaction():
            client.execute("INSERT INTO desk.notes VALUES (2), (2)")

    for last in ("SELECT 1/0", "COPY desk.notes TO STDOUT", "SELECT pg_terminate_backend(pg_backend_pid())"):
        with pytest.raises(TransactionUndone):
            swallowed(last)
    with pytest.raises(StatementRefused, match="duplicate key"):
        too_late()
    with client.transaction():
        with pytest.raises(TransactionUndone):
            swallowed("SELECT 1/0")
        client.execute("INSERT INTO desk.notes VALUES (3)")
    assert sql("SELECT n FROM desk.notes") == [(3,)]
    with pytest.raises(IntegrityError), client.transaction():
        raise IntegrityError  # of the ORM, whose errors a script knows by their names


@asking
def test_it_asks_the_database_of_its_alias() -> None:
    name = "SELECT current_database()"
    assert DjangoORMClient("archive").fetch_value(name) != DjangoORMClient().fetch_value(name)
    with pytest.raises(ConfigurationError, match="alias is 'attic', but has to be one of default, archive"):
        DjangoORMClient("attic").fetch_value(name)


# What goes wrong


@asking
def test_what_postgresql_refuses_is_one_line_with_its_sqlstate() -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused) as refused:
        client.fetch_all("SELECT nope\nFROM pg_class")
    assert str(refused.value) == 'The statement could not be run: column "nope" does not exist (SQLSTATE 42703)'
    assert refused.value.facts["sqlstate"] == "42703"
    with pytest.raises(StatementRefused, match="1 placeholders but 2 parameters"):
        client.fetch_all("SELECT %s", [1, 2])
    client.execute("CREATE SCHEMA desk; CREATE TABLE desk.notes (n int UNIQUE)")
    with pytest.raises(StatementRefused) as twice:
        client.execute("INSERT INTO desk.notes VALUES (1), (1)")
    assert isinstance(twice.value.__cause__, IntegrityError)


@asking
@pytest.mark.parametrize("statement", ["INSERT INTO pg_am VALUES (1)", "SELECT 1; SELECT 2"])
def test_a_cursor_takes_one_query_only(statement: str) -> None:
    with pytest.raises(StatementRefused, match="42601"):
        next(DjangoORMClient().fetch_iter(statement))


@asking
def test_no_column_is_lost_because_another_has_its_name() -> None:
    with pytest.raises(ColumnsNamedTwice, match=r"names: n\. Give"):
        DjangoORMClient().fetch_all("SELECT 1 AS n, 2 AS n, 3 AS m")


@asking
def test_a_lost_connection_is_one_line_and_the_next_statement_has_another() -> None:
    client = DjangoORMClient()
    with pytest.raises(ServerUnreachable):
        client.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert client.fetch_value("SELECT 1") == 1
    client.close()
    assert client.fetch_value("SELECT 1") == 1


@asking
@pytest.mark.parametrize("statement", ["COPY pg_am TO STDOUT", "COPY pg_am FROM STDIN"])
def test_a_copy_is_refused_and_the_connection_is_as_good_as_before(statement: str) -> None:
    client = DjangoORMClient()
    with pytest.raises(StatementRefused, match="COPY cannot be used"):
        client.execute(statement)
    assert client.fetch_value("SELECT 1") == 1


# Whose class it is


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
    assert str(refused.value).startswith(f"DJANGO_DB_CLIENT_PATH is {path!r}, but has to be package.module:Class")
