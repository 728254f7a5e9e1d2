"""The settings of a production server."""

import json
import os
import pty
import re
import runpy
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.conftest import CHECKOUT, CompletedCommand, create_custom_manifest, process_environment


def deploy_check(**environment: str) -> CompletedCommand:
    """Run `check --deploy` with the production settings and only these variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DB_", "SEEDER_"))}
    process = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=CHECKOUT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "settings.production", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return CompletedCommand(exit_code=process.returncode, out=process.stdout, err=process.stderr)


@pytest.mark.slow
def test_deploy_check_with_required_variables_finds_no_issue() -> None:
    required = {"DJANGO_ALLOWED_HOSTS": "reports.example.org", "DATA_PIPELINE_UPLOAD_BUCKET": "uploads"}
    ended = deploy_check(DJANGO_SECRET_KEY=secrets.token_urlsafe(50), **required)
    assert (ended.exit_code, ended.err) == (0, "")
    assert ended.out == "System check identified no issues (0 silenced).\n"


@pytest.mark.parametrize("key", [None, "", "short", "x" * 60, "django-insecure-" + "abcdefgh" * 8])
def test_unsafe_secret_key_is_rejected(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SECRET_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("DJANGO_SECRET_KEY", key)
    with pytest.raises(ImproperlyConfigured, match="^DJANGO_SECRET_KEY must be a secret of at least 50 characters"):
        runpy.run_module("settings.production")


def test_command_without_secret_key_prints_one_line() -> None:
    ended = deploy_check()
    assert (ended.exit_code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert line.startswith("DJANGO_SECRET_KEY must be a secret of at least 50 characters")


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.slow
def test_json_log_has_one_object_per_event() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    ended = refresh_in_production(SEEDER_LOG_FORMAT="json")
    assert (ended.exit_code, len(ended.lines)) == (0, 3)  # the output of the command is unchanged
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert events == ["run_started", "view_started", "view_ended", "run_ended"]


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.slow
def test_default_log_has_one_text_line_per_event() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    for line in refresh_in_production().err.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO (run|view)_(started|ended) run_id=", line)


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.slow
def test_events_are_not_logged_to_a_terminal() -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as screen, os.fdopen(follower, "w") as terminal:
        ended = refresh_in_production(err=terminal)
        terminal.write("end")
        terminal.flush()
        assert screen.read(4096) == b"end"
    assert ended.exit_code == 0


def refresh_in_production(*, err: Any = subprocess.PIPE, **environment: str) -> CompletedCommand:
    """Run `refresh_all` with the production settings, as in a container."""
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
        timeout=300,
        check=False,
    )
    return CompletedCommand(exit_code=process.returncode, out=process.stdout, err=process.stderr or "")
