"""The arguments, output and exit codes of `data-pipeline`."""

import json
import os
import signal
from pathlib import Path

import pytest
from django.test import override_settings

from data_pipeline.cli.main import main
from seeder import __version__
from tests.unit.data_pipeline.cli.job_packages import GOOD, WritePackage

CODES = """
def entrypoint(argv):
    return eval(argv[0])

JOB = (entrypoint, "Return a value.")
"""
PARSING = """
import argparse

def entrypoint(argv):
    parser = argparse.ArgumentParser(prog="data-pipeline run {name}")
    parser.add_argument("--agency-id", type=int)
    print(parser.parse_args(argv))
    return 0

JOB = (entrypoint, "Parse arguments.")
"""
RAISING = """
import os, signal

def entrypoint(argv):
    if argv == ["error"]:
        from data_pipeline.errors import UnknownLoad
        raise UnknownLoad(load_id=7)
    if argv == ["pipe"]:
        raise BrokenPipeError
    os.kill(os.getpid(), getattr(signal, argv[0]))

JOB = (entrypoint, "Raise an error, or get a signal.")
"""


@pytest.fixture(autouse=True)
def jobs(write_package: WritePackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "object":
    """A package of jobs, and an empty current folder."""
    package = write_package("console_jobs", tidy=GOOD, codes=CODES, parsing=PARSING, raising=RAISING, sick="1 / 0")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", os.environ["DJANGO_SETTINGS_MODULE"])  # restored after the test
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    with override_settings(DATA_PIPELINE={"JOB_PACKAGES": package, "DEFAULT_JOB": "parsing"}):
        yield


def test_list_has_usable_jobs_and_reports_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr()
    lines = [line.split(maxsplit=1) for line in printed.out.splitlines()]
    assert ["tidy", "Describe tidy."] in lines
    assert "sick" not in {name for name, _ in lines}
    cause = "ZeroDivisionError: division by zero"
    assert printed.err == (f"data-pipeline: The job 'sick' in the module console_jobs.sick cannot be used: {cause}.\n")


def test_list_json_names_the_packages_it_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"name": "tidy", "description": "Describe tidy.", "module": "console_jobs.tidy"} in document["jobs"]
    assert {"data_pipeline.jobs", "console_jobs"} <= set(document["packages"])
    assert document["settings"] == os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.mark.parametrize(
    ("given", "received"),
    [
        (["a", "--b"], ["a", "--b"]),
        (["--", "a", "--b"], ["a", "--b"]),
        (["--", "a", "--", "b"], ["a", "--", "b"]),
        (["a", "--", "b"], ["a", "--", "b"]),
        (["--", "--", "a"], ["--", "a"]),
        (["--x", "1", "y", "-z", "--x=2"], ["--x", "1", "y", "-z", "--x=2"]),
        (["--", "--help"], ["--help"]),
        ([], []),
    ],
)
def test_job_gets_its_arguments(capsys: pytest.CaptureFixture[str], given: list[str], received: list[str]) -> None:
    assert main(["run", "tidy", *given]) == 0
    assert capsys.readouterr().out == f"tidy got {received}\n"


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_exit_code_of_job_is_returned(code: int) -> None:
    assert main(["run", "codes", "--", str(code)]) == code


@pytest.mark.parametrize("value", ["None", "True", "256", "-1", "'0'"])
def test_job_that_returns_no_exit_code_fails(capsys: pytest.CaptureFixture[str], value: str) -> None:
    """The shell would see 256 as 0, which is success."""
    assert main(["run", "codes", "--", value]) == 1
    assert f"The job 'codes' returned {value}, but an entrypoint must return" in capsys.readouterr().err


def test_option_that_is_not_ours_selects_the_default_job(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--agency-id", "10"], ["--settings", "host", "--agency-id=10"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out == "Namespace(agency_id=10)\n"
    with pytest.raises(SystemExit, match="2"):
        main(["--agency", "x"])
    assert "data-pipeline run parsing: error: argument --agency-id" in capsys.readouterr().err


def test_missing_default_job_is_named_with_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(DATA_PIPELINE={"DEFAULT_JOB": "gone"}):
        assert main(["--agency-id", "10"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("data-pipeline: The first argument '--agency-id' is an option of the default job, but")
    assert "there is no job 'gone'" in line


def test_settings_are_left_to_the_job_that_starts_django() -> None:
    for arguments in (
        ["--settings", "chosen", "run", "tidy"],
        ["run", "--settings=chosen", "tidy"],
        ["run", "tidy", "a", "--settings", "chosen"],
        ["--settings", "other", "run", "tidy", "--", "--settings", "chosen"],
    ):
        os.environ["DJANGO_SETTINGS_MODULE"] = "before"
        assert main(arguments) == 0
        assert os.environ["DJANGO_SETTINGS_MODULE"] == "chosen"


def test_settings_before_the_separator_are_not_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "tidy", "a", "--settings", "chosen", "--", "--settings", "chosen"])
    assert capsys.readouterr().out == "tidy got ['a', '--', '--settings', 'chosen']\n"


def test_unknown_job_is_one_line_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tidi"]) == 2
    expected = (
        "data-pipeline: There is no job 'tidi'. The nearest one is 'tidy'. `data-pipeline list` lists the jobs.\n"
    )
    assert capsys.readouterr() == ("", expected)


def test_unusable_job_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "sick"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_error_of_a_job_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "raising", "error"]) == 2
    assert capsys.readouterr().err.startswith("data-pipeline: There is no load 7.")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_ends_job_with_its_exit_code(capsys: pytest.CaptureFixture[str], name: str) -> None:
    handler = signal.getsignal(getattr(signal, name))
    assert main(["run", "raising", name]) == 128 + getattr(signal, name)
    assert (
        capsys.readouterr().err
        == "data-pipeline: Interrupted. What was committed remains. Run the command again to continue.\n"
    )
    assert signal.getsignal(getattr(signal, name)) is handler


def test_version_and_help_are_those_of_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in ((["--version"], __version__), (["--help"], "new-job"), (["run", "--help"], "JOB [-- ARGS")):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        assert text in capsys.readouterr().out
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: data-pipeline")


def test_wrong_arguments_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nosuch"], ["run"], ["list", "--settings"], ["new-job"], ["--settings"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("data-pipeline")
        assert line.endswith("--help")


def test_settings_alone_print_the_help() -> None:
    assert main(["--settings", "host"]) == 2
