"""Finds jobs: the modules of job packages that have `JOB`. Imports no Django.

Packages are located without importing an app, so that `data-pipeline list` works without Django. Only modules of jobs
are imported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from data_pipeline import conf
from data_pipeline.domain.job_definition import Entrypoint, is_job_name, job_tuple_problem
from data_pipeline.job_errors import AmbiguousJob, JobError, MalformedJob, UnknownJob, UnknownJobPackage, UnusableJob
from seeder.domain.suggestions import did_you_mean
from seeder.errors import SettingsUnusable
from seeder.texts import Text

OWN_PACKAGE = "data_pipeline.jobs"
ENTRY_POINT_GROUP = "data_pipeline.jobs"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job that can be run."""

    name: str
    description: str  # one line
    module: str  # dotted name
    entrypoint: Entrypoint


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPackages:
    """The packages in which jobs are searched for."""

    names: Sequence[str]  # without duplicates
    problems: Sequence[UnknownJobPackage]
    default_job: str  # name of the job that runs if the first argument is an option of it

    def modules_by_name(self) -> Mapping[str, Sequence[str]]:
        """Return the modules of each job name, without importing them."""
        modules = dict[str, list[str]]()
        for package in self.names:
            for found in iter_modules(map(str, _folders(package))):
                if is_job_name(found.name) and not found.ispkg:
                    modules.setdefault(found.name, []).append(f"{package}.{found.name}")
        return dict(sorted(modules.items()))

    def load_all(self) -> tuple[Sequence[Job], Sequence[JobError]]:
        """Return all jobs, and the errors of unusable packages and modules."""
        jobs, errors = list[Job](), list[JobError](self.problems)
        for name, modules in self.modules_by_name().items():
            try:
                jobs.append(_load_one_of(name, modules))
            except JobError as error:
                errors.append(error)
        return jobs, errors

    def load(self, name: str) -> Job:
        """Return a job. Raises `UnknownJob`, `AmbiguousJob`, `UnusableJob` or `MalformedJob`."""
        modules = self.modules_by_name()
        if name not in modules:
            raise UnknownJob(job=name, suggestion=did_you_mean(name, modules))
        return _load_one_of(name, modules[name])


def find_job_packages(settings_module: str = "") -> JobPackages:
    """Return the job packages for the settings that Django uses.

    Without them, the settings are those of the module, otherwise none. The module is imported without starting Django.
    Raises `SettingsUnusable` or `ConfigurationError`.
    """
    return job_packages_of(host_settings(settings_module))


def host_settings(settings_module: str) -> object:
    """Return the settings that Django uses.

    Otherwise those of the module, otherwise an object without settings.

    The module is imported without starting Django. Raises `SettingsUnusable`.
    """
    return conf.settings_in_use() or (_import_settings(settings_module) if settings_module else object())


def job_packages_of(host_settings: object) -> JobPackages:
    """Return the job packages that the settings of a host allow.

    They are those of this app, of entry points, of the setting JOB_PACKAGES and of INSTALLED_APPS.
    """
    own_settings = conf.load_from(host_settings)
    required: list[tuple[str, str]] = [
        (one.value, Text("The entry point {name!r}", name=one.name)) for one in entry_points(group=ENTRY_POINT_GROUP)
    ]
    configured = filter(None, map(str.strip, own_settings.job_packages.split(",")))
    required += [(package, "JOB_PACKAGES") for package in configured]
    of_apps = (f"{app}.jobs" for app in _app_packages(getattr(host_settings, "INSTALLED_APPS", ())))
    existing = [package for package, _ in required if _folders(package)]
    return JobPackages(
        names=list(dict.fromkeys([OWN_PACKAGE, *existing, *filter(_folders, of_apps)])),
        problems=[UnknownJobPackage(origin=one, package=package) for package, one in required if not _folders(package)],
        default_job=own_settings.default_job,
    )


def _import_settings(module: str) -> object:
    try:
        return import_module(module)
    except Exception as error:  # a settings module can raise anything
        cause = str(error).rstrip(".") if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise SettingsUnusable(module=module, cause=cause) from error


def _app_packages(installed_apps: Sequence[str]) -> Iterator[str]:
    """Yield the package of each entry of INSTALLED_APPS.

    An entry is a package, or the class of an app's configuration.
    """
    for entry in installed_apps:
        yield entry if _folders(entry) else entry.rpartition(".")[0].rpartition(".")[0]


def _folders(package: str) -> Sequence[Path]:
    """Return the folders of a package, without importing anything.

    Empty if there is no such package.
    """
    top, *children = package.split(".")
    try:
        spec = find_spec(top) if top else None
    except ValueError:  # a module without a specification, such as __main__
        spec = None
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    for child in children:
        folders = [folder / child for folder in folders if child and (folder / child).is_dir()]
    return folders


def _load_one_of(name: str, modules: Sequence[str]) -> Job:
    if len(modules) > 1:
        raise AmbiguousJob(job=name, modules=", ".join(modules))
    [module] = modules
    try:
        loaded = import_module(module)
    except (Exception, SystemExit) as error:  # a module of another app can raise anything
        raise UnusableJob(job=name, module=module, cause=f"{type(error).__name__}: {error}".rstrip(".")) from error
    if not hasattr(loaded, "JOB"):
        raise UnusableJob(job=name, module=module, cause=Text("it has no JOB = (entrypoint, description)"))
    if (problem := job_tuple_problem(loaded.JOB)) is not None:
        raise MalformedJob(job=name, module=module, cause=problem)
    entrypoint, description = loaded.JOB
    return Job(name=name, description=" ".join(description.split()), module=module, entrypoint=entrypoint)
