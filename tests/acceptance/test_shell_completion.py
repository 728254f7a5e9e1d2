"""Words that bash completes for `reporting-seeder`, through argcomplete's own function."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seeder.models import Run, RunHistory
from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("contract_tables")]

# The words are those of `compgen`: COMP_LINE to COMP_TYPE are what bash sets before it calls the function.
_SCRIPT = """
eval "$(register-python-argcomplete reporting-seeder)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete reporting-seeder "${1##* }" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""

Complete = Callable[..., list[str]]


@pytest.fixture
def complete() -> Complete:
    def run(line: str, **environment: str) -> list[str]:
        scripts = Path(sys.executable).parent
        ended = subprocess.run(
            ["bash", "--norc", "-c", _SCRIPT, "bash", line],
            cwd=CHECKOUT,
            env={**process_environment(), "PATH": f"{scripts}:/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert not ended.stderr
        return [word.strip() for word in ended.stdout.splitlines()]

    return run


def test_jobs_and_their_options_are_completed(complete: Complete) -> None:
    assert complete("reporting-seeder l") == ["list"]
    assert complete("reporting-seeder run refresh_a") == ["refresh_agency", "refresh_all"]
    assert complete("reporting-seeder run refresh_all ") == ["--"]
    assert complete("reporting-seeder run refresh_all -- --sel") == ["--select"]
    assert complete("reporting-seeder run flush -- --no") == [""]


def test_names_come_from_the_database(complete: Complete, manage: Callable[..., CompletedCommand]) -> None:
    create_custom_manifest("reporting.orders", "SELECT 1 AS n")
    create_custom_manifest("reporting.items", "SELECT 1 AS n", agency="metro")
    assert complete("reporting-seeder run refresh_agency -- ") == ["demo", "metro"]
    assert complete("reporting-seeder run refresh_agency -- demo m") == ["metro"]
    assert complete("reporting-seeder run refresh_table -- reporting.o") == ["reporting.orders"]
    create_custom_manifest("totals", "SELECT 1 AS n")
    assert complete("reporting-seeder run refresh_table -- reporting.t") == ["reporting.totals"]
    assert complete("reporting-seeder run refresh_table -- t") == ["totals"]
    assert complete("reporting-seeder run refresh_status -- --agency d") == ["demo"]
    manage("refresh_table", "reporting.items")
    run_id = Run.objects.get().run_id
    assert complete("reporting-seeder run retry_run -- ") == [run_id]
    assert complete("reporting-seeder run cancel_refresh -- ") == [""]
    Run.objects.update(finished_at=None)
    assert complete("reporting-seeder run cancel_refresh -- ") == [run_id]
    assert RunHistory.objects.count() == 1  # nothing ran


def test_without_a_database_options_are_completed(complete: Complete) -> None:
    nowhere = {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}
    assert complete("reporting-seeder run refresh_agency -- d", **nowhere) == [""]
    assert complete("reporting-seeder run refresh_agency -- --dry", **nowhere) == ["--dry-run"]
    assert complete("reporting-seeder --settings nowhere run refresh_all -- --dry") == [""]
