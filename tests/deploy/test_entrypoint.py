"""The entry point for developers, with the packages of the image's lock in an environment of its own."""

import fcntl
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

ENTRYPOINT = CHECKOUT / "deploy" / "entrypoint"
SKIP_INSTALL = {"SKIP_INSTALL": "1"}
Ended = subprocess.CompletedProcess[str]

needs_python_of_lock = pytest.mark.skipif(sys.version_info < (3, 12), reason="the image's lock needs Python 3.12")


def run(*arguments: str, script: Path = ENTRYPOINT, cwd: Path = CHECKOUT, variables: Mapping[str, str] = {}) -> Ended:
    """Run the script in an environment with only these variables and the system's programs."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, **variables}
    return subprocess.run(
        [script, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(scope="module")
def installed() -> None:
    """Install the packages, unless they are installed."""
    (CHECKOUT / "var").mkdir(exist_ok=True)
    with (CHECKOUT / "var" / "entrypoint.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_"))}
        ended = run("--version", variables=index)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
@needs_python_of_lock
def test_entrypoint_has_exactly_the_packages_of_the_lock(installed: None) -> None:
    list_packages: list[str | Path] = [CHECKOUT / "var" / "entrypoint" / "bin" / "python", "-m", "pip", "freeze"]
    frozen = subprocess.run(list_packages, capture_output=True, text=True, check=True).stdout
    lock = (CHECKOUT / "requirements" / "image.txt").read_text()
    locked = [line.removesuffix(" \\") for line in lock.splitlines() if "==" in line]
    packages = {re.sub(r"[-_.]+(?=.*==)", "-", line).lower() for line in frozen.split()}  # names as in the lock
    assert packages <= {line.partition(" ")[0] for line in locked}
    assert {line for line in locked if ";" not in line} <= packages  # others are for other platforms


@pytest.mark.slow
@needs_python_of_lock
def test_entrypoint_lists_jobs_from_any_folder_without_settings(installed: None, tmp_path: Path) -> None:
    ended = run("list", cwd=tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (0, 1)
    assert "\nget_s3_files " in ended.stdout
    assert "\nload_file " in ended.stdout


PRODUCTION = {"DJANGO_SETTINGS_MODULE": "settings.production"}
LOAD = ("run", "load_file", "--", "orders.csv", "--table", "orders", "--mode", "append")


@pytest.mark.slow
@needs_python_of_lock
@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--source-bucket", "bronze"], {}, "the following arguments are required: --agency-id"),
        (["--agency-id", "10"], {}, "No source bucket is given"),
        (["run", "get_s3_file"], {}, "get_s3_files"),
        (LOAD, {"DJANGO_SETTINGS_MODULE": "settings.nowhere"}, "No module named 'settings.nowhere'"),
        (LOAD, PRODUCTION, "DJANGO_SECRET_KEY must be a secret"),
        (
            LOAD,
            {**PRODUCTION, "DJANGO_SECRET_KEY": secrets.token_urlsafe(50), "DATA_PIPELINE_MAX_REJECTS": "some"},
            "DATA_PIPELINE_MAX_REJECTS is 'some', but must be",
        ),
    ],
    ids=["option", "bucket", "job", "settings", "secret", "setting"],
)
def test_entrypoint_reports_a_wrong_request_in_one_line(
    arguments: list[str], variables: dict[str, str], message: str, installed: None, tmp_path: Path
) -> None:
    ended = run(*arguments, cwd=tmp_path, variables=variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert message in line


def test_skip_install_uses_the_python_of_the_path(tmp_path: Path) -> None:
    """The environment var/entrypoint is not even looked for."""
    path = os.pathsep.join([os.fspath(Path(sys.prefix) / "bin"), "/usr/bin", "/bin"])
    ended = run("list", script=copy_of_checkout(tmp_path), cwd=tmp_path, variables={"PATH": path, **SKIP_INSTALL})
    assert ended.returncode == 0, ended.stderr
    assert "\nget_s3_files " in ended.stdout
    assert not (tmp_path / "var").exists()


def test_skip_install_without_python_says_so(tmp_path: Path) -> None:
    for program in ("sh", "dirname"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    ended = run("list", variables={"PATH": os.fspath(tmp_path), **SKIP_INSTALL})
    assert ended.returncode == 2
    assert ended.stderr == "There is no python3 on the PATH: unset SKIP_INSTALL.\n"


@pytest.mark.slow
@needs_python_of_lock
def test_failed_installation_runs_nothing_and_is_repeated(tmp_path: Path) -> None:
    script = copy_of_checkout(tmp_path)
    for _ in range(2):
        ended = run("list", script=script, variables={"PIP_NO_INDEX": "1"})
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "No matching distribution found" in ended.stderr


def test_python_older_than_the_lock_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old_python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    ended = run("list", variables={"PYTHON": os.fspath(old)})
    assert ended.returncode == 2
    assert ended.stderr == f"PYTHON={old} cannot be run, or is older than Python 3.12.\n"


def copy_of_checkout(folder: Path) -> Path:
    """Create a checkout without installed packages. Return its entry point."""
    for name in ("deploy", "requirements"):
        shutil.copytree(CHECKOUT / name, folder / name)
    for name in ("seeder", "data_pipeline"):
        (folder / name).symlink_to(CHECKOUT / name)
    return folder / "deploy" / "entrypoint"
