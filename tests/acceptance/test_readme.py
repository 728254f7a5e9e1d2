"""The blocks of the README, executed literally in an empty project."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance import host_projects
from tests.acceptance.host_projects import BrowserVisitor, HostProject
from tests.conftest import CHECKOUT, another_session

pytestmark = pytest.mark.slow

DATABASE = "test_readme"


def blocks(text: str, heading: str) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block of a section."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def newcomer(tmp_path: Path, django_databases: None, django_db_blocker: DjangoDbBlocker) -> Iterator[HostProject]:
    """Create an empty folder next to the checkout, and an empty database."""
    (tmp_path / "reporting-seeder").symlink_to(CHECKOUT)
    folder = tmp_path / "project"
    folder.mkdir()
    with django_db_blocker.unblock(), host_projects.temporary_database(DATABASE) as inherited:
        # The Python of these tests comes first.
        python = Path(sys.executable).resolve().parent
        environment = {**inherited, "PATH": f"{python}:{os.environ['PATH']}"}
        yield HostProject(folder=folder, environment=environment)


def test_readme_blocks_install_the_app_into_a_project(newcomer: HostProject) -> None:
    found = blocks((CHECKOUT / "README.md").read_text(encoding="utf-8"), "Into your own project")
    assert [language for language, _ in found] == ["sh", "python", "python", "sh"]
    used = ""
    for language, text in found:
        if language == "sh":
            # A reader runs both blocks in one shell.
            activate = ". .venv/bin/activate\n" if used else ""
            used = newcomer.output_of("sh", "-euc", activate + text)
        else:
            [place] = re.findall(r"^# at the end of (\S+)$", text, re.MULTILINE)
            with (newcomer.folder / place).open("a") as file:
                file.write(text)
    assert "Created: seeder_custom_report_manifest" in used
    assert "reporting.tables_by_kind: created" in used
    assert "1 succeeded, 0 failed" in used
    with another_session(dbname=DATABASE) as session:
        [(status, errors)] = session.execute("SELECT status, errors FROM reporting.seeder_run_history").fetchall()
    assert (status, errors) == ("success", None)
    manage = (newcomer.folder / ".venv" / "bin" / "python", "manage.py")
    newcomer.output_of(*manage, "check", "--database", "default", "--fail-level", "WARNING")
    newcomer.output_of(*manage, "shell", "-c", _ROOT)
    with newcomer.runserver(*manage) as address:
        root = BrowserVisitor(address)
        root.log_in("/admin/", "root", "open sesame")
        for place in (
            "/admin/seeder/monitoring/",
            "/api/seeder/v1/jobs/",
            "/api/seeder/v1/docs/",
            "/api/seeder/metrics",
        ):
            assert root.get(place)[0] == 200, place
        assert BrowserVisitor(address).get("/api/seeder/health/ready")[0] == 200


_ROOT = "from django.contrib.auth.models import User; User.objects.create_superuser('root', password='open sesame')"
