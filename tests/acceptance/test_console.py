"""The console script of the wheel, installed into a project with its own commands."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance import host_projects
from tests.acceptance.refresh_processes import SLEEPING, wait_until
from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment, sql

pytestmark = [pytest.mark.slow]

_SETTINGS = """
import os
SECRET_KEY = "host"
INSTALLED_APPS = ["seeder", "django.contrib.auth", "django.contrib.contenttypes", "django_q", "reports"]
SERVER = {key: os.environ[f"DB_{key}"] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **SERVER}}
Q_CLUSTER = {"name": "console", "orm": "default", "workers": 1, "timeout": 60, "retry": 120, "max_attempts": 1,
             "ack_failures": True, "catch_up": False}
USE_TZ = True
"""
_COMMANDS = {
    "tidy_reports": """
import os, signal
from django.core.management.base import BaseCommand, CommandError
class Command(BaseCommand):
    help = '''Tidy the reports
        of this host.'''
    is_job = True
    def add_arguments(self, parser):
        parser.add_argument("--fail", type=int)
        parser.add_argument("--get-sigterm", action="store_true")
        parser.add_argument("rest", nargs="*")
    def handle(self, *args, **options):
        if options["fail"]:
            raise CommandError("Too untidy.", returncode=options["fail"])
        if options["get_sigterm"]:
            os.kill(os.getpid(), signal.SIGTERM)
        print("tidy", options["rest"])
""",
    "not_offered": """
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    help = "Not for containers."
""",
    "sick": "import nowhere\n",
}
_OURS = {path.stem for path in (CHECKOUT / "seeder" / "management" / "commands").glob("[a-z]*.py")}

Console = Callable[..., CompletedCommand]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it."""
    folder = tmp_path_factory.mktemp("console")
    host_projects.install_wheel(host_projects.build_wheel(folder), folder / "site")
    return folder / "site"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A host with three commands: a job, one that is no job, and one that cannot be loaded."""
    commands = tmp_path / "reports" / "management" / "commands"
    commands.mkdir(parents=True)
    (tmp_path / "host.py").write_text(_SETTINGS)
    for name, text in _COMMANDS.items():
        (commands / f"{name}.py").write_text(text)
    return tmp_path


@pytest.fixture
def begin(site: Path, project: Path, bare_database: None) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the script in the project's folder."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        clean = {"DJANGO_SETTINGS_MODULE": "host", "PYTHONPATH": os.fspath(site), **environment}
        started.append(
            subprocess.Popen(
                [site / "bin" / "reporting-seeder", *arguments],
                cwd=project,
                env={**process_environment(), **clean},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # ignored in a job
            )
        )
        return started[-1]

    yield begin
    for process in started:
        with process:
            process.kill()
    sql("SELECT pg_terminate_backend(pid)" + SLEEPING)


@pytest.fixture
def console(begin: Callable[..., "subprocess.Popen[str]"]) -> Console:
    def run(*arguments: str, **environment: str) -> CompletedCommand:
        process = begin(*arguments, **environment)
        out, err = process.communicate(timeout=300)
        return CompletedCommand(exit_code=process.returncode, out=out, err=err)

    return run


NO_SERVER = {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}


def test_list_has_jobs_of_all_apps_without_a_database(console: Console) -> None:
    ended = console("list", **NO_SERVER)
    assert ended.exit_code == 0
    assert {"refresh_all", "install_schema", "watch_queue"} < _OURS
    assert [line.split()[0] for line in ended.lines] == sorted({*_OURS, "tidy_reports"})
    assert "refresh_agency             Refresh the enabled reports of agencies." in ended.lines
    assert "tidy_reports               Tidy the reports of this host." in ended.lines


def test_unloadable_command_is_reported_and_others_listed(console: Console) -> None:
    [line] = console("list").err.splitlines()
    cause = "ModuleNotFoundError: No module named 'nowhere'"
    assert line == f"reporting-seeder: The job 'sick' of the app reports cannot be loaded: {cause}."
    ended = console("run", "sick")
    assert (ended.exit_code, ended.err) == (2, f"{line}\n")


def test_list_into_closed_pipe_ends_silently(begin: Callable[..., "subprocess.Popen[str]"], project: Path) -> None:
    (project / "reports" / "management" / "commands" / "sick.py").unlink()
    process = begin("list", **NO_SERVER)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0


def test_list_json_has_name_description_and_app(console: Console) -> None:
    jobs = json.loads(console("list", "--json", **NO_SERVER).out)["jobs"]
    assert len(jobs) == len(_OURS) + 1
    assert {"name": "tidy_reports", "description": "Tidy the reports of this host.", "app": "reports"} in jobs


def test_help_imports_no_django(site: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.fspath(site), "PYTHONPROFILEIMPORTTIME": "1"}
    for arguments in (["--help"], ["run", "--help"], ["list", "--help"], ["--version"]):
        ended = subprocess.run(
            [site / "bin" / "reporting-seeder", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "reporting-seeder" in ended.stdout
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
        assert "seeder" in imported
        assert not imported & {"django", "psycopg", "django_q", "rest_framework", "rich"}


@pytest.mark.parametrize("separator", [[], ["--"]])
def test_job_gets_its_arguments(console: Console, separator: list[str]) -> None:
    assert console("run", "tidy_reports", *separator, "a", "b").out == "tidy ['a', 'b']\n"
    helped = console("run", "tidy_reports", *separator, "--help")
    assert helped.out.startswith("usage: reporting-seeder run tidy_reports [-h]")


def test_separator_of_job_is_passed_on(console: Console) -> None:
    for before in (["a", "--"], ["--"]):
        assert console("run", "tidy_reports", *before, "--", "--fail").out.endswith("'--fail']\n")


@pytest.mark.parametrize("code", [1, 3])
def test_exit_code_of_job_is_passed_on(console: Console, code: int) -> None:
    ended = console("run", "tidy_reports", "--", "--fail", str(code))
    assert (ended.exit_code, ended.err) == (code, "CommandError: Too untidy.\n")


def test_sigterm_ends_job_in_first_process_of_container(site: Path, project: Path) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot create a process namespace")
    job = [os.fspath(site / "bin" / "reporting-seeder"), "run", "tidy_reports", "--", "--get-sigterm"]
    environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "host", "PYTHONPATH": os.fspath(site)}
    ended = subprocess.run(
        [*alone, *job], cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (143, ""), ended.stderr


def test_script_installs_schema_and_refreshes(console: Console) -> None:
    assert console("run", "install_schema").exit_code == 0
    create_custom_manifest("good", "SELECT 1 AS n")
    assert console("run", "refresh_all").exit_code == 0
    create_custom_manifest("bad", "SELECT 1/0 AS n")
    ended = console("run", "refresh_agency", "--", "demo", "--json")
    assert (ended.exit_code, json.loads(ended.out)["failed"]) == (1, 1)
    ended = console("run", "refresh_agency", "--", "unknown")
    assert (ended.exit_code, len(ended.err.splitlines())) == (2, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_interrupts_the_job(
    begin: Callable[..., "subprocess.Popen[str]"], contract_tables: None, number: signal.Signals, code: int
) -> None:
    create_custom_manifest("slow", "SELECT 1 AS n FROM pg_sleep(60)")
    process = begin("run", "refresh_agency", "--", "demo")
    wait_until(process, "SELECT 1" + SLEEPING)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert sql("SELECT errors FROM reporting.seeder_run_history") == [(f"interrupted: {number.name}",)]


def test_watchdog_starts_its_cluster_with_the_script(
    begin: Callable[..., "subprocess.Popen[str]"], console: Console, empty_queue: None
) -> None:
    create_custom_manifest("good", "SELECT 1 AS n")
    assert console("run", "refresh_all", "--", "--queue").exit_code == 0
    process = begin("run", "watch_queue", "--", "--grace", "5", PYTHONUNBUFFERED="1")
    wait_until(process, "SELECT 1 FROM reporting.seeder_run_history WHERE status = 'success'")
    process.terminate()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert re.search(r"SIGTERM: stopping cluster \d+, within 5 s\n", out)


# Errors: one line, and exit code 2


def error_line(ended: CompletedCommand) -> str:
    assert (ended.exit_code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    return line


@pytest.mark.parametrize("arguments", [["list"], ["run", "refresh_all"]])
def test_missing_settings_are_reported(console: Console, arguments: list[str]) -> None:
    line = error_line(console(*arguments, DJANGO_SETTINGS_MODULE=""))
    assert line.startswith("reporting-seeder: No settings module")


def test_settings_option_works_before_and_after_command(console: Console) -> None:
    for arguments in (["--settings", "host", "list"], ["list", "--settings=host"]):
        assert console(*arguments, DJANGO_SETTINGS_MODULE="elsewhere").exit_code == 0
    for arguments in (
        ["--settings", "host", "tidy_reports", "a"],
        ["tidy_reports", "--settings", "host", "a"],  # as with manage.py
        ["tidy_reports", "--", "a", "--settings=host"],
    ):
        assert console("run", *arguments, DJANGO_SETTINGS_MODULE="elsewhere").out == "tidy ['a']\n"


def test_settings_default_to_those_of_manage_py(console: Console, project: Path) -> None:
    (project / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "host")\n')
    assert "tidy_reports" in console("list", DJANGO_SETTINGS_MODULE="").out
    (project / "manage.py").write_text("main()\n")
    assert error_line(console("list", DJANGO_SETTINGS_MODULE="")).startswith(
        "reporting-seeder: No settings module is given."
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "refresh_al", "--", "--json"], "unknown_job_command"),
        (["run", "refresh_all", "--", "--json", "--nope"], "bad_arguments"),
        (["list", "--json", "--nope"], "bad_arguments"),
        (["run", "sick", "--", "--json"], "unusable_job_command"),
        (["list", "--json", "--settings", "elsewhere"], "settings_unusable"),
    ],
)
def test_error_is_a_document_with_json(console: Console, arguments: list[str], code: str) -> None:
    ended = console(*arguments)
    document = json.loads(ended.out)
    assert (ended.exit_code, ended.err, document["code"], document["exitCode"]) == (2, "", code, 2)


def test_interrupted_start_prints_one_line(console: Console, project: Path) -> None:
    (project / "stopped.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfrom host import *\n")
    ended = console("run", "refresh_all", DJANGO_SETTINGS_MODULE="stopped")
    assert (ended.exit_code, ended.out) == (130, "")
    assert ended.err.startswith("reporting-seeder: Interrupted.")
    assert len(ended.err.splitlines()) == 1
    ended = console("run", "refresh_all", "--", "--json", DJANGO_SETTINGS_MODULE="stopped")
    assert (ended.exit_code, ended.err, json.loads(ended.out)["code"]) == (130, "", "interrupted")


def test_unknown_settings_are_reported(console: Console) -> None:
    line = error_line(console("list", DJANGO_SETTINGS_MODULE="elsewhere"))
    assert "Django cannot start with the settings 'elsewhere': No module named 'elsewhere'" in line


@pytest.mark.parametrize(
    ("job", "nearest"),
    [
        ("refresh_al", " The nearest one is 'refresh_all'."),
        ("refresh-table", " The nearest one is 'refresh_table'."),
        ("not_offered", ""),
        ("migrate", ""),
    ],
)
def test_unknown_job_is_refused_with_nearest_name(console: Console, job: str, nearest: str) -> None:
    line = error_line(console("run", job))
    assert line == f"reporting-seeder: There is no job {job!r}.{nearest} `reporting-seeder list` lists them."


def test_wrong_arguments_are_refused(console: Console) -> None:
    assert "invalid choice: 'lst'" in error_line(console("lst"))
    assert "the following arguments are required: JOB. See" in error_line(console("run"))
    assert console().exit_code == 2
    assert console().out == console("--help").out
