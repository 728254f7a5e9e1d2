"""Each linter of the deployment examples can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

pytestmark = pytest.mark.slow

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="the Dockerfile's linter comes from npm")


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [CHECKOUT / "deploy" / "lint", folder],
        env={**os.environ, "VENV": sys.prefix},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(CHECKOUT / "deploy", tmp_path / "deploy")


@needs_npm
def test_examples_pass_the_linters(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout + result.stderr


# For each linter: broken texts with their messages. One linter must find all of its own.
BROKEN: dict[str, list[tuple[str, str, str, str]]] = {
    "Dockerfile syntax": [
        ("Dockerfile", "COPY seeder seeder", "COPPY seeder seeder", "Unknown instruction: COPPY"),
        ("Dockerfile", "slim AS build", "slim AS build twice", "FROM requires either one or three arguments"),
    ],
    "Dockerfile practices": [
        ("Dockerfile", "USER 10001:10001", "", "running as root"),
        ("Dockerfile", "FROM python:${PYTHON}-slim AS runtime", "FROM python:latest AS runtime", "Using 'latest' tag"),
    ],
    "Compose": [
        ("compose.yaml", "stop_grace_period: 90s", "stop_grace: 90s", "'stop_grace' was unexpected"),
    ],
    "Alert rules": [
        (
            "monitoring/alerts.yaml",
            "expr: seeder_views_failing > 0",
            "expr: seeder_views_failing >",
            "unexpected end of input",
        ),
    ],
    "Dashboard": [
        ("monitoring/dashboard.json", '"graphTooltip"', '"tooltip"', "'\"tooltip\"' does not exist in type"),
        ("monitoring/dashboard.json", '"colorMode": "background"', '"colorMode": "red"', "'\"red\"' is not assignable"),
    ],
    "Kubernetes": [
        ("kubernetes/web.yaml", "  replicas: 2", "  replicas: two", "'two' is not of type"),
        ("kubernetes/queue.yaml", "terminationGracePeriodSeconds", "gracePeriodSeconds", "gracePeriodSeconds"),
        ("kubernetes/refresh-all.yaml", "batch/v1", "batch/v0", "batch/v0"),
        ("kubernetes/refresh-agency.yaml", "restartPolicy: Never", "restartPolicy: 0", "0 is not of type"),
    ],
}


@needs_npm
@pytest.mark.parametrize("linter", BROKEN)
def test_linter_reports_each_broken_example(copy: Path, linter: str) -> None:
    for file, right, wrong, _ in BROKEN[linter]:
        text = (copy / file).read_text()
        assert right in text
        (copy / file).write_text(text.replace(right, wrong))
    result = lint(copy)
    assert result.returncode == 1
    for _, _, _, message in BROKEN[linter]:
        assert message in result.stdout + result.stderr
