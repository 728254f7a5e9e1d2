"""The commands of `data-pipeline`: list, run and write jobs."""

import json
import os
import re
import sys
from pathlib import Path

from data_pipeline.domain.job_definition import job_name_problem
from data_pipeline.job_errors import BadExitCode, BadJobName, JobFileExists, UnknownDefaultJob, UnknownJob
from data_pipeline.services.job_discovery import Job, find_job_packages
from seeder.console_script import print_lines
from seeder.services.translation import translated

PROGRAM = "data-pipeline"
_TEMPLATE = Path(__file__).resolve().parent.parent / "jobs" / "_my_job.py"
_EXIT_FAILED = 1


def list_jobs(*, settings_module: str, as_json: bool) -> int:
    """Print the jobs. What cannot be used, and where jobs were not searched for, is on standard error."""
    packages = find_job_packages(settings_module)
    jobs, errors = packages.load_all()
    for error in errors:
        _print_error(error)
    if as_json:
        rows = [{"name": job.name, "description": job.description, "module": job.module} for job in jobs]
        document = {"jobs": rows, "packages": packages.names, "settings": settings_module or None}
        print_lines([json.dumps(document, indent=2, ensure_ascii=False)])
        return 0
    width = max((len(job.name) for job in jobs), default=0)
    print_lines(f"{job.name:{width}}  {job.description}" for job in jobs)
    if not settings_module:
        _print_error("Without Django settings, the jobs of INSTALLED_APPS are not listed.")
    return 0


def run_job(name: str, arguments: list[str], *, settings_module: str) -> int:
    """Run a job in this process and return its exit code. Django is not started."""
    job = find_job_packages(settings_module).load(name)
    return _run(job, arguments, settings_module=settings_module)


def run_default_job(arguments: list[str], *, settings_module: str) -> int:
    """Run the job of the setting DEFAULT_JOB."""
    packages = find_job_packages(settings_module)
    try:
        job = packages.load(packages.default_job)
    except UnknownJob as error:
        raise UnknownDefaultJob(argument=arguments[0], job=packages.default_job) from error
    return _run(job, arguments, settings_module=settings_module)


def write_new_job(name: str, *, folder: str) -> int:
    """Write the template of a job into a package, created if missing."""
    if (problem := job_name_problem(name)) is not None:
        raise BadJobName(name=name, problem=problem)
    package = Path(folder)
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    path = package / f"{name}.py"
    text = re.sub(r"\bmy_job\b", name, _TEMPLATE.read_text(encoding="utf-8"))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise JobFileExists(path=path) from error
    found = "It is found if its app is installed, or if JOB_PACKAGES has its package"
    print_lines([f"Wrote {path}. {found}. Then: {PROGRAM} run {name} -- --help"])
    return 0


def _run(job: Job, arguments: list[str], *, settings_module: str) -> int:
    if settings_module:  # for the job, which starts Django with these settings when it needs them
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    code = job.entrypoint(arguments)
    sys.stdout.flush()
    if type(code) is not int or not 0 <= code <= 255:  # the shell would see another number, and 256 as success
        _print_error(BadExitCode(job=job.name, code=code))
        return _EXIT_FAILED
    return code


def _print_error(error: object) -> None:
    sys.stderr.write(f"{PROGRAM}: {translated(error)}\n")
