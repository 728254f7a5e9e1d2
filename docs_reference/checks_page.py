"""docs/reference/checks.md: the problems that the doctor finds, and the system checks."""

import re
from importlib import import_module

from data_pipeline.apps import DataPipelineConfig
from data_pipeline.domain.system_check_hints import SYSTEM_CHECK_HINTS as LOADING_HINTS
from docs_reference.markdown_text import code, page, table
from docs_reference.system_check_meanings import SYSTEM_CHECK_MEANINGS
from seeder.apps import SeederConfig
from seeder.domain.system_check_hints import SYSTEM_CHECK_HINTS
from seeder.services.doctor import run_checks
from seeder.services.doctor.check_types import Problem

_DOCTOR = """[The doctor](../how-to/doctor.md) prints these with the affected objects and a fix. An *error* prevents
refreshes or loads, or stops the queue. With a *warning* they run, but not as intended. An *info* is for information
only."""

_SYSTEM_CHECKS = """`manage.py check --database default` prints these with a hint. The first letter is the level:
Error, Warning or Information. `--fail-level WARNING` makes the exit code depend on warnings too."""


def doctor_problems() -> list[Problem]:
    """Return every problem of the modules that `doctor_checks` names."""
    paths = [*SeederConfig.doctor_checks, *DataPipelineConfig.doctor_checks]
    modules = [run_checks, *(import_module(path.rpartition(".")[0]) for path in paths)]
    values = (value for module in modules for value in vars(module).values())
    return list(dict.fromkeys(value for value in values if isinstance(value, Problem)))


def render() -> str:
    """Return the page."""
    blocks = ["## Doctor", _DOCTOR]
    problems = doctor_problems()
    for area in dict.fromkeys(problem.area for problem in problems):
        of_area = [problem for problem in problems if problem.area == area]
        rows = [(code(problem.name), str(problem.level), problem.meaning, _link(problem.fix)) for problem in of_area]
        blocks += [f"### {area.capitalize()}", table(("problem", "level", "meaning", "what to do"), rows)]
    hints = {**SYSTEM_CHECK_HINTS, **LOADING_HINTS}
    checks = [(code(check_id), SYSTEM_CHECK_MEANINGS[check_id], hint) for check_id, hint in hints.items()]
    return page("Checks", *blocks, "## System checks", _SYSTEM_CHECKS, table(("id", "meaning", "what to do"), checks))


def _link(text: str) -> str:
    """Turn the path of a document into a link."""
    return re.sub(r"docs/(how-to/[\w-]+\.md)", r"[\1](../\1)", text)
