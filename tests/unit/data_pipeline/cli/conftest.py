"""Packages of jobs that exist for one test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.data_pipeline.cli.job_packages import WritePackage


@pytest.fixture
def write_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritePackage]:
    """Write a package with these modules: `write_package("reports.jobs", tidy=source)`."""
    monkeypatch.syspath_prepend(tmp_path)
    written = set[str]()

    def write(package: str, **modules: str) -> str:
        folder = tmp_path.joinpath(*package.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source.replace("{name}", name))
        written.add(package.partition(".")[0])
        return package

    yield write
    for module in [name for name in sys.modules if name.partition(".")[0] in written]:
        del sys.modules[module]
