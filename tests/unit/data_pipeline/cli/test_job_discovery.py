"""Where jobs are found, and what is reported about those that cannot be used."""

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest
from django.test import override_settings

from data_pipeline import conf
from data_pipeline.checks import check_jobs
from data_pipeline.job_errors import AmbiguousJob, JobError, MalformedJob, UnknownJob, UnusableJob
from data_pipeline.services import job_discovery
from data_pipeline.services.job_discovery import JobPackages, job_packages_of
from seeder.errors import ConfigurationError, SettingsUnusable
from tests.unit.data_pipeline.cli.job_packages import GOOD, WritePackage


def named(*packages: str) -> JobPackages:
    """Return the packages if JOB_PACKAGES has these names."""
    return job_packages_of(SimpleNamespace(DATA_PIPELINE={"JOB_PACKAGES": ",".join(packages)}))


def problems(packages: JobPackages) -> list[str]:
    return [str(error) for error in packages.load_all()[1]]


def test_jobs_of_named_packages_are_found(write_package: WritePackage) -> None:
    write_package("named_a.jobs", tidy_a=GOOD)
    write_package("named_b", tidy_b=GOOD)
    jobs = {job.name: job for job in named("named_a.jobs", " named_b", "").load_all()[0]}
    assert jobs["tidy_a"].module == "named_a.jobs.tidy_a"
    assert jobs["tidy_b"].description == "Describe tidy_b."


def test_jobs_of_installed_apps_are_found(write_package: WritePackage) -> None:
    write_package("plain_app.jobs", tidy_plain=GOOD)
    write_package("configured.app.jobs", tidy_configured=GOOD)
    write_package("without_jobs", views="")
    apps = ["plain_app", "configured.app.apps.SomeConfig", "without_jobs", "django.contrib.auth", "missing.apps.X", "Y"]
    packages = job_packages_of(SimpleNamespace(INSTALLED_APPS=apps))
    assert packages.names == ["data_pipeline.jobs", "plain_app.jobs", "configured.app.jobs"]
    assert {job.name for job in packages.load_all()[0]} >= {"tidy_plain", "tidy_configured"}


def test_app_is_not_imported_to_find_its_jobs(write_package: WritePackage) -> None:
    write_package("unimported", __init__="raise AssertionError", models="")
    write_package("unimported.jobs")
    assert job_packages_of(SimpleNamespace(INSTALLED_APPS=["unimported"])).names[-1] == "unimported.jobs"
    assert "unimported" not in sys.modules


def test_jobs_of_entry_points_are_found(write_package: WritePackage, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package("distributed.work", tidy_more=GOOD)
    points = [EntryPoint("more", "distributed.work", "ours"), EntryPoint("gone", "gone.work", "ours")]
    monkeypatch.setattr(job_discovery, "entry_points", lambda group: points if group == "data_pipeline.jobs" else [])
    packages = job_packages_of(object())
    assert packages.load("tidy_more").module == "distributed.work.tidy_more"
    [problem] = packages.problems
    assert str(problem).startswith("The entry point 'gone' names the package 'gone.work', which does not exist.")


def test_private_modules_registry_and_subpackages_are_no_jobs(write_package: WritePackage) -> None:
    write_package("partly", tidy=GOOD, _shared="", registry="")
    write_package("partly.daily", inner=GOOD)
    assert [module for module in named("partly").modules_by_name().values() if module[0].startswith("partly")] == [
        ["partly.tidy"]
    ]


@pytest.mark.parametrize(
    ("source", "error", "cause"),
    [
        ("import nowhere", UnusableJob, "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit('at import')", UnusableJob, "SystemExit: at import"),
        ("raise ValueError('two\\nlines.')", UnusableJob, "ValueError: two lines"),
        ("def broken(:", UnusableJob, "SyntaxError: "),
        ("", UnusableJob, "it has no JOB = (entrypoint, description)"),
        ("JOB = None", MalformedJob, "JOB must be a tuple"),
        ("JOB = (print, '')", MalformedJob, "the description in JOB must"),
    ],
)
def test_unusable_job_hides_no_other(
    write_package: WritePackage, source: str, error: type[JobError], cause: str
) -> None:
    package = write_package("sick", aching=source, well=GOOD)
    jobs, errors = named(package).load_all()
    assert "well" in {job.name for job in jobs}
    [found] = errors
    assert type(found) is error
    assert "'aching' in the module sick.aching" in str(found)
    assert cause in str(found)
    assert "\n" not in str(found)
    with pytest.raises(error):
        named(package).load("aching")


def test_two_jobs_of_one_name_are_ambiguous(write_package: WritePackage) -> None:
    write_package("twin_a", twin=GOOD, only_a=GOOD)
    write_package("twin_b", twin=GOOD)
    packages = named("twin_a", "twin_b")
    expected = "The job 'twin' exists in several modules: twin_a.twin, twin_b.twin. Rename all but one."
    assert problems(packages) == [expected]
    assert "only_a" in {job.name for job in packages.load_all()[0]}
    with pytest.raises(AmbiguousJob):
        packages.load("twin")


def test_package_that_is_found_twice_is_not_ambiguous(write_package: WritePackage) -> None:
    write_package("once.jobs", tidy=GOOD)
    settings = SimpleNamespace(INSTALLED_APPS=["once"], DATA_PIPELINE={"JOB_PACKAGES": "once.jobs"})
    assert problems(job_packages_of(settings)) == []


def test_unknown_job_is_guessed(write_package: WritePackage) -> None:
    packages = named(write_package("guessed", tidy_reports=GOOD))
    with pytest.raises(UnknownJob, match="There is no job 'tidy_report'. The nearest one is 'tidy_reports'."):
        packages.load("tidy_report")


@pytest.mark.parametrize("name", ["no_such_package", "json.nothing", "seeder.errors", ".", "__main__"])
def test_name_that_is_no_package_is_reported(name: str) -> None:
    [problem] = problems(named(name))
    assert problem.startswith(f"JOB_PACKAGES names the package {name!r}, which does not exist.")


def test_loading_a_job_imports_no_other(write_package: WritePackage) -> None:
    package = write_package("lazily", wanted=GOOD, other="raise AssertionError")
    assert named(package).load("wanted").module == "lazily.wanted"
    assert "lazily.other" not in sys.modules


def test_settings_are_read_from_environment_without_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "settings_in_use", lambda: None)
    monkeypatch.setenv("DATA_PIPELINE_DEFAULT_JOB", "tidy")
    assert job_discovery.find_job_packages().default_job == "tidy"
    monkeypatch.setenv("DATA_PIPELINE_MAX_REJECTS", "many")
    with pytest.raises(ConfigurationError, match="DATA_PIPELINE_MAX_REJECTS is 'many'"):
        job_discovery.find_job_packages()


def test_settings_module_precedes_environment(write_package: WritePackage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "settings_in_use", lambda: None)
    monkeypatch.setenv("DATA_PIPELINE_DEFAULT_JOB", "tidy")
    write_package("configured_host", given='DATA_PIPELINE = {"DEFAULT_JOB": "sweep"}', failing="1 / 0")
    assert job_discovery.find_job_packages("configured_host.given").default_job == "sweep"
    with pytest.raises(SettingsUnusable, match="'configured_host.failing': ZeroDivisionError: division by zero"):
        job_discovery.find_job_packages("configured_host.failing")


def test_system_check_reports_malformed_and_unusable_jobs(write_package: WritePackage) -> None:
    package = write_package("checked", malformed="JOB = 1", failing="1 / 0", well=GOOD)
    with override_settings(DATA_PIPELINE={"JOB_PACKAGES": package}):
        found = {message.id: message.msg for message in check_jobs()}
    assert found.keys() == {"data_pipeline.E002", "data_pipeline.W002"}
    assert "checked.malformed is malformed: JOB must be a tuple" in found["data_pipeline.E002"]
    assert "checked.failing cannot be used: ZeroDivisionError" in found["data_pipeline.W002"]
    assert check_jobs() == []
