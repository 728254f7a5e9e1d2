"""The quickstart, executed block by block in an empty folder and database. Its output is as printed there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import binaries
from tests.architecture.markdown import page_text
from tests.conftest import CHECKOUT, another_session, process_environment

DATABASE = "test_quickstart"
# Not needed, because everything is installed, or commands that never end.
NOT_RUN = ("python3 -m venv", "export DB_HOST", "python manage.py runserver", "python manage.py watch_queue")
STEP = r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?"  # a block and its output
# Parts of the output that vary.
RUNS, HASHES, NUMBERS = r"\d{8}-\d{6}-[0-9a-f]{8}", r"\b[0-9a-f]{12}\b", r"\d[\d.,:-]*"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bare_database")]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Return an environment with the app installed and the database configured."""
    with another_session() as session:
        session.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        session.execute(f"CREATE DATABASE {DATABASE}".encode())
        site = tmp_path / "site"
        site.mkdir()
        (site / "seeder").symlink_to(CHECKOUT / "seeder")
        path = [str(Path(sys.executable).parent), os.environ["PATH"], str(binaries.folder())]
        given = {**process_environment(), "DB_NAME": DATABASE, "PYTHONPATH": str(site), "PATH": os.pathsep.join(path)}
        del given["DJANGO_SETTINGS_MODULE"]
        yield given
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


def comparable_lines(printed: str) -> set[str]:
    """Return the lines without varying parts. Their order depends on the workers."""
    for varies in (RUNS, HASHES, NUMBERS):
        printed = re.sub(varies, "#", printed)
    return set(printed.strip().splitlines())


def test_quickstart_blocks_print_the_documented_output(environment: dict[str, str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", "."], cwd=project, check=True)
    steps = re.findall(STEP, page_text("tutorial/quickstart.md"), re.MULTILINE | re.DOTALL)
    ran = [(block, printed) for block, printed in steps if not block.startswith(NOT_RUN)]
    assert len(steps) - len(ran) == len(NOT_RUN)
    for block, printed in ran:
        shell = ["sh", "-eu", "-c", block]
        done = subprocess.run(shell, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        out = re.sub(r"(?<=^Created: seeder_custom_report_manifest, seeder_canned_report, ).*", "…", done.stdout)
        assert comparable_lines(out) == comparable_lines(printed), block
