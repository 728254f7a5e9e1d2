"""The settings of a production server."""

import json
import os
import pty
import re
import secrets
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment


def deploy_check(**environment: str) -> CompletedCommand:
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
    return CompletedCommand(exit_code=process.returncode, out=process.stdout, err=process.stderr)


def test_nothing_is_found_fault_with() -> None:
    ended = deploy_check(DJANGO_SECRET_KEY=secrets.token_urlsafe(50), DJANGO_ALLOWED_HOSTS="reports.example.org")
    assert (ended.exit_code, ended.err) == (0, "")
    assert ended.out == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("key", [None, "", "short", "x" * 60, "django-insecure-" + "abcdefgh" * 8])
def test_it_does_not_start_without_a_secret_of_its_own(key: str | None) -> None:
    ended = deploy_check(**{} if key is None else {"DJANGO_SECRET_KEY": key})
    assert (ended.exit_code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert line.startswith("DJANGO_SECRET_KEY has to be a secret of at least 50 characters")


@pytest.mark.usefixtures("contract_tables")
def test_a_container_s_log_has_a_line_for_each_event_which_a_program_can_read() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    ended = refreshed(SEEDER_LOG_FORMAT="json")
    assert (ended.exit_code, len(ended.lines)) == (0, 4)  # the command says what it always says
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert events == ["run_started", "view_started", "view_ended", "run_ended"]


@pytest.mark.usefixtures("contract_tables")
def test_a_container_s_log_is_readable_unless_it_is_to_be_read_by_a_program() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    for line in refreshed().err.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO (run|view)_(started|ended) run_id=", line)


@pytest.mark.usefixtures("contract_tables")
def test_on_a_terminal_nothing_is_said_twice() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as screen, os.fdopen(follower, "w") as terminal:
        ended = refreshed(err=terminal)
        terminal.write("end")
        terminal.flush()
        assert screen.read(4096) == b"end"
    assert ended.exit_code == 0


def refreshed(*, err: Any = subprocess.PIPE, **environment: str) -> CompletedCommand:
    """`refresh_all` on a production server, in a container."""
    process = subprocess.run(
        [sys.executable, "manage.py", "refresh_all"],
        cwd=CHECKOUT,
        env={
            **process_environment(),
            "DJANGO_SETTINGS_MODULE": "settings.production",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=err,
        text=True,
        timeout=60,
        check=False,
    )
    return CompletedCommand(exit_code=process.returncode, out=process.stdout, err=process.stderr or "")
