"""What the module of a job must contain: `JOB = (entrypoint, description)`."""

import inspect
import keyword
from collections.abc import Callable

from seeder.texts import Text

Entrypoint = Callable[[list[str]], int]

RESERVED = "registry"  # a module of this name, or with an underscore first, is not a job


def is_job_name(name: str) -> bool:
    """Return whether a module of this name is a job."""
    return not name.startswith("_") and name != RESERVED


def job_name_problem(name: str) -> str | None:
    """Return why a new job cannot have this name, or None."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return Text("it must be the name of a Python module, such as load_orders")
    if not is_job_name(name):
        return Text("modules named {reserved}, or with an underscore first, are not jobs", reserved=RESERVED)
    return None


def job_tuple_problem(job: object) -> str | None:
    """Return what is wrong with the value of `JOB`, or None."""
    if not isinstance(job, tuple) or len(job) != 2:
        return Text("JOB must be a tuple (entrypoint, description)")
    entrypoint, description = job
    if not isinstance(description, str) or not description.strip():
        return Text("the description in JOB must be a text that is not empty")
    if not callable(entrypoint) or not _takes_one_argument(entrypoint):
        return Text("the entrypoint in JOB must be a function of one argument, the list of the job's arguments")
    return None


def _takes_one_argument(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind([])
    except (TypeError, ValueError):
        return False
    return True
