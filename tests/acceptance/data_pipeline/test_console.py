"""The console script `data-pipeline` of the wheel, installed into a project with jobs of its own."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance import host_projects
from tests.conftest import CompletedCommand, process_environment
from tests.polling import eventually

pytestmark = [pytest.mark.slow]

_SETTINGS = """
import os
SECRET_KEY = "host"
INSTALLED_APPS = ["data_pipeline", "seeder", "reports.apps.ReportsConfig"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": "1"}}
DATA_PIPELINE = {"DEFAULT_JOB": "tidy"}
"""
_TIDY = """
import argparse
import sys
from data_pipeline.services.handler import ServiceHandler

def entrypoint(argv, *, handler=None):
    parser = argparse.ArgumentParser(prog="data-pipeline run tidy")
    parser.add_argument("--agency-id", type=int, required=True)
    parser.add_argument("--start-django", action="store_true")
    options = parser.parse_args(argv)
    if options.start_django:
        (handler or ServiceHandler()).start_django()
        from django.apps import apps
        print(sorted(apps.app_configs))
    print("tidy", options.agency_id, sys.modules.get("django") is not None)
    return 3

JOB = (entrypoint, "Tidy the reports.")
"""
_WAIT = """
import signal, sys
from pathlib import Path

def entrypoint(argv):
    try:
        Path(argv[0]).touch()
        signal.pause()
    finally:
        print("cleaned up", flush=True)

JOB = (entrypoint, "Wait for a signal.")
"""
_PRINT = """
def entrypoint(argv):
    while True:
        print("a line")

JOB = (entrypoint, "Print without end.")
"""
_COMMAND = """
from django.core.management.base import BaseCommand, CommandError
class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--fail", type=int, default=0)
        parser.add_argument("names", nargs="*")
    def handle(self, *args, **options):
        if options["fail"]:
            raise CommandError("Too untidy.", returncode=options["fail"])
        print("swept", options["names"])
"""
_WRAP = """
from data_pipeline.services.handler import ServiceHandler
def entrypoint(argv, *, handler=None):
    return (handler or ServiceHandler()).run_command("sweep", argv)
JOB = (entrypoint, "Sweep by a management command.")
"""

# Importing Django, or a driver, fails.
_BLOCKED = (
    "import sys\nsys.modules.update(dict.fromkeys(('django', 'psycopg', 'rich', 'django_q', 'rest_framework')))\n"
)

Begin = Callable[..., "subprocess.Popen[str]"]
Console = Callable[..., CompletedCommand]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it."""
    folder = tmp_path_factory.mktemp("data-pipeline")
    host_projects.install_wheel(host_projects.build_wheel(folder), folder / "site")
    return folder / "site"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A host whose app `reports` has three jobs, and a folder of modules without Django."""
    jobs = tmp_path / "reports" / "jobs"
    jobs.mkdir(parents=True)
    (tmp_path / "host.py").write_text(_SETTINGS)
    (tmp_path / "reports" / "__init__.py").touch()
    (tmp_path / "reports" / "apps.py").write_text(
        "from django.apps import AppConfig\nclass ReportsConfig(AppConfig):\n    name = 'reports'\n"
    )
    for name, source in {"tidy": _TIDY, "wait": _WAIT, "print_lines": _PRINT}.items():
        (jobs / f"{name}.py").write_text(source)
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(_BLOCKED)
    return tmp_path


@pytest.fixture
def begin(site: Path, project: Path) -> Iterator[Begin]:
    """Start the script in the project's folder. Without `settings` there are none, and then Django is blocked too."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, settings: str = "host", blocked: bool = False, **extra: str) -> "subprocess.Popen[str]":
        modules = [os.fspath(project / "blocked")] if blocked else []
        environment = {**process_environment(), "PYTHONPATH": os.pathsep.join([*modules, os.fspath(site)]), **extra}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        if settings:
            environment["DJANGO_SETTINGS_MODULE"] = settings
        started.append(
            subprocess.Popen(
                [site / "bin" / "data-pipeline", *arguments],
                cwd=project,
                env=environment,
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


@pytest.fixture
def console(begin: Begin) -> Console:
    def run(*arguments: str, settings: str = "host", blocked: bool = False, **extra: str) -> CompletedCommand:
        process = begin(*arguments, settings=settings, blocked=blocked, **extra)
        out, err = process.communicate(timeout=120)
        return CompletedCommand(exit_code=process.returncode, out=out, err=err)

    return run


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["list", "--help"], ["list"]])
def test_help_and_list_work_without_django(console: Console, arguments: list[str]) -> None:
    ended = console(*arguments, settings="", blocked=True)
    assert ended.exit_code == 0, ended.err
    assert ("recover_loads  Mark" if arguments == ["list"] else "data-pipeline") in ended.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "nope", "--", "--json"], "unknown_job"),
        (["list", "--json", "--nope"], "bad_arguments"),
        (["list", "--json", "--settings", "elsewhere"], "settings_unusable"),
    ],
)
def test_error_is_a_document_with_json(console: Console, arguments: list[str], code: str) -> None:
    ended = console(*arguments)
    document = json.loads(ended.out)
    assert (ended.exit_code, ended.err, document["code"], document["exitCode"]) == (2, "", code, 2)


def test_list_without_settings_says_what_is_left_out(console: Console) -> None:
    ended = console("list", settings="", blocked=True)
    assert ended.err == "data-pipeline: Without Django settings, the jobs of INSTALLED_APPS are not listed.\n"
    document = json.loads(console("list", "--json", settings="", blocked=True).out)
    assert (document["packages"], document["settings"]) == (["data_pipeline.jobs"], None)


def test_list_reads_installed_apps_without_django(console: Console) -> None:
    """The settings of the host import no Django, and their app is found beside the class of its configuration."""
    ended = console("list", blocked=True)
    assert ended.exit_code == 0
    assert {line.split()[0] for line in ended.lines} >= {"tidy", "wait", "print_lines"}
    assert ended.err == ""


def test_list_lets_settings_import_django(console: Console, project: Path) -> None:
    (project / "translated.py").write_text("from django.utils.translation import gettext_lazy\nfrom host import *\n")
    assert "Tidy the reports." in console("list", "--settings", "translated").out
    ended = console("list", "--settings", "translated", blocked=True)
    assert ended.exit_code == 2
    assert ended.err.startswith("data-pipeline: Django cannot start with the settings 'translated': ")


def test_list_finds_packages_of_distributions_and_environment(console: Console, project: Path, site: Path) -> None:
    for name in ("distributed", "named"):
        (project / name).mkdir()
        (project / name / f"{name}_job.py").write_text(_TIDY)
    metadata = project / "more-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: more\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[data_pipeline.jobs]\nmore = distributed\n")
    path = os.pathsep.join([os.fspath(project / "blocked"), os.fspath(site), os.fspath(project)])
    environment = {"PYTHONPATH": path, "DATA_PIPELINE_JOB_PACKAGES": "named,missing"}
    ended = console("list", settings="", **environment)
    assert {line.split()[0] for line in ended.lines} >= {"distributed_job", "named_job"}
    assert "JOB_PACKAGES names the package 'missing', which does not exist." in ended.err


def test_default_job_of_environment_runs_without_django(console: Console) -> None:
    environment = {"DATA_PIPELINE_JOB_PACKAGES": "reports.jobs", "DATA_PIPELINE_DEFAULT_JOB": "tidy"}
    ended = console("--agency-id", "10", settings="", blocked=True, **environment)
    assert (ended.exit_code, ended.out) == (3, "tidy 10 False\n"), ended.err


def test_default_job_of_settings_runs_without_django(console: Console) -> None:
    assert console("--agency-id=10", "--settings", "host", settings="").out == "tidy 10 False\n"
    assert console("run", "tidy", "--", "--agency-id", "10").out == "tidy 10 False\n"


def test_job_that_uses_the_database_starts_django(console: Console) -> None:
    arguments = ["run", "tidy", "--", "--agency-id", "10", "--start-django"]
    ended = console(*arguments)
    assert (ended.exit_code, ended.out) == (3, "['data_pipeline', 'reports', 'seeder']\ntidy 10 True\n"), ended.err
    without = console(*arguments, settings="", DATA_PIPELINE_JOB_PACKAGES="reports.jobs")
    assert (without.exit_code, len(without.err.splitlines())) == (2, 1)
    assert without.err.startswith("data-pipeline: No settings module is given.")


def test_job_wraps_a_management_command(console: Console, project: Path) -> None:
    (project / "reports" / "management" / "commands").mkdir(parents=True)
    (project / "reports" / "management" / "commands" / "sweep.py").write_text(_COMMAND)
    (project / "reports" / "jobs" / "sweep.py").write_text(_WRAP)
    assert console("run", "sweep", "--", "a", "b").out == "swept ['a', 'b']\n"
    failed = console("run", "sweep", "--", "--fail", "3")
    assert (failed.exit_code, failed.err) == (3, "CommandError: Too untidy.\n")
    assert console("run", "sweep", "--", "--help").out.startswith("usage: data-pipeline run sweep [-h]")


def test_settings_of_manage_py_are_the_default(console: Console, project: Path) -> None:
    (project / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "host")\n')
    assert "tidy" in console("list", settings="").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_lets_job_clean_up(begin: Begin, project: Path, number: signal.Signals) -> None:
    process = begin("run", "wait", "--", "started")
    eventually((project / "started").exists)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (
        128 + number,
        "cleaned up\n",
        "data-pipeline: Interrupted. What was committed remains. Run the command again to continue.\n",
    )


def test_sigterm_ends_job_in_first_process_of_container(site: Path, project: Path) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot create a process namespace")
    (project / "reports" / "jobs" / "stop_itself.py").write_text(
        "import os, signal\nJOB = (lambda argv: os.kill(os.getpid(), signal.SIGTERM) or os.getpid(), 'Stop.')\n"
    )
    environment = {**process_environment(), "DJANGO_SETTINGS_MODULE": "host", "PYTHONPATH": os.fspath(site)}
    ended = subprocess.run(
        [*alone, os.fspath(site / "bin" / "data-pipeline"), "run", "stop_itself"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (
        143,
        "data-pipeline: Interrupted. What was committed remains. Run the command again to continue.\n",
    )


def test_closed_pipe_ends_job_without_traceback(begin: Begin) -> None:
    process = begin("run", "print_lines")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == "a line\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE


def test_list_into_closed_pipe_ends_silently(begin: Begin) -> None:
    process = begin("list")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0


def test_new_job_of_the_wheel_runs(console: Console, project: Path) -> None:
    assert console("new-job", "count_orders", "--folder", "reports/jobs", settings="", blocked=True).exit_code == 0
    ended = console("run", "count_orders", "--", "--agency-id", "10", "--dry-run", blocked=True)
    assert (ended.exit_code, ended.err) == (0, "")
    assert ended.out.startswith("Would process agency 10 as of ")
    assert console("run", "count_orders", "--", "--agency-id", "10").exit_code == 1
