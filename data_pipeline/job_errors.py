"""Expected errors of jobs. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError


class JobError(PipelineError):
    """A job cannot be used."""


class UnknownJob(JobError):
    """There is no job {job!r}.{suggestion} `data-pipeline list` lists the jobs."""


class UnknownDefaultJob(JobError):
    """The first argument {argument!r} is an option of the default job, but there is no job {job!r}. Set DEFAULT_JOB to
    a name that `data-pipeline list` lists, or use `data-pipeline run JOB -- {argument}`."""


class AmbiguousJob(JobError):
    """The job {job!r} exists in several modules: {modules}. Rename all but one."""


class UnusableJob(JobError):
    """The job {job!r} in the module {module} cannot be used: {cause}."""


class MalformedJob(JobError):
    """The job {job!r} in the module {module} is malformed: {cause}."""


class UnknownJobPackage(JobError):
    """{origin} names the package {package!r}, which does not exist. Correct the name, or install the package."""


class BadExitCode(JobError):
    """The job {job!r} returned {code!r}, but an entrypoint must return an exit code from 0 to 255. Its work may be
    done: see its output."""


class BadJobName(JobError):
    """{name!r} cannot be the name of a job: {problem}."""


class JobFileExists(JobError):
    """{path} exists already. Use another name, or edit that file."""
