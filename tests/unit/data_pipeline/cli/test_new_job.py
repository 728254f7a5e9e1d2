"""The template of a job: written by `new-job`, and run as it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.test import override_settings

from data_pipeline.cli.main import main
from data_pipeline.services.handler import ServiceHandler
from tests.unit.data_pipeline.cli.job_packages import WritePackage


@pytest.fixture
def package(write_package: WritePackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a package for new jobs."""
    name = write_package("fresh.jobs")
    monkeypatch.chdir(tmp_path / "fresh")
    with override_settings(DATA_PIPELINE={"JOB_PACKAGES": name}):
        yield tmp_path / "fresh" / "jobs"


def test_new_job_is_written_listed_and_run(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-job", "count_orders"]) == 0
    assert capsys.readouterr().out.startswith("Wrote jobs/count_orders.py.")
    assert "my_job" not in (package / "count_orders.py").read_text()
    assert main(["list"]) == 0
    assert "\ncount_orders  " in "\n" + capsys.readouterr().out
    assert main(["run", "count_orders", "--", "--agency-id", "10", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("Would process agency 10 as of ")
    assert main(["run", "count_orders", "--", "--agency-id", "10"]) == 1
    assert "the job calls no service yet" in capsys.readouterr().out


def test_new_job_takes_a_handler(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["new-job", "injected"])
    started = list[str]()
    handler = ServiceHandler(
        clock=lambda: datetime(2026, 2, 3, tzinfo=UTC), start_django=lambda: started.append("Django")
    )
    entrypoint, _ = import_module("fresh.jobs.injected").JOB
    capsys.readouterr()
    assert entrypoint(["--agency-id", "7", "--dry-run"], handler=handler) == 0
    assert (capsys.readouterr().out, started) == ("Would process agency 7 as of 2026-02-03.\n", [])
    entrypoint(["--agency-id", "7"], handler=handler)
    assert started == ["Django"]


def test_new_job_with_a_long_name_has_no_long_line(package: Path) -> None:
    name = "a_job_with_a_name_that_is_rather_long_for_a_module"
    main(["new-job", name])
    assert max(map(len, (package / f"{name}.py").read_text().splitlines())) <= 120


def test_new_job_overwrites_nothing(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "kept.py").write_text("KEPT = 1\n")
    assert main(["new-job", "kept"]) == 2
    assert (
        capsys.readouterr().err == "data-pipeline: jobs/kept.py exists already. Use another name, or edit that file.\n"
    )
    assert (package / "kept.py").read_text() == "KEPT = 1\n"


def test_new_job_creates_the_package(package: Path) -> None:
    assert main(["new-job", "first", "--folder", "other/jobs"]) == 0
    written = {path.name for path in (package.parent / "other" / "jobs").iterdir()}
    assert written == {"__init__.py", "first.py"}


@pytest.mark.parametrize("name", ["load-orders", "_hidden", "registry", "../up", "class"])
def test_name_that_is_no_job_is_refused(package: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["new-job", name]) == 2
    assert capsys.readouterr().err.startswith(f"data-pipeline: {name!r} cannot be the name of a job: ")
    assert list(package.iterdir()) == []
