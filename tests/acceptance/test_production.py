"""The settings of a production server."""

import os
import secrets
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT, Ended


def deploy_check(**environment: str) -> Ended:
    """`check --deploy` as somebody runs it who sets nothing but this."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DB_", "SEEDER_"))}
    process = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=CHECKOUT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "settings.production", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(code=process.returncode, out=process.stdout, err=process.stderr)


def test_nothing_is_found_fault_with() -> None:
    ended = deploy_check(DJANGO_SECRET_KEY=secrets.token_urlsafe(50), DJANGO_ALLOWED_HOSTS="reports.example.org")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("key", [None, "", "short", "x" * 60, "django-insecure-" + "abcdefgh" * 8])
def test_it_does_not_start_without_a_secret_of_its_own(key: str | None) -> None:
    ended = deploy_check(**{} if key is None else {"DJANGO_SECRET_KEY": key})
    assert (ended.code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert line.startswith("DJANGO_SECRET_KEY has to be a secret of at least 50 characters")
