"""docs/reference/checks.md: the problems that the doctor finds, and the system checks."""

from docs_reference.doctor_problems import PROBLEM_TEXTS
from docs_reference.markdown_text import code, page, table
from docs_reference.system_check_meanings import SYSTEM_CHECK_MEANINGS
from seeder.domain.doctor.diagnosis import Area, Problem
from seeder.domain.system_checks import SYSTEM_CHECK_HINTS

_DOCTOR = """[The doctor](../how-to/doctor.md) prints these with the affected objects and a fix. An *error* prevents
refreshes or stops the queue. With a *warning* refreshes run, but not as intended. An *info* is for information
only."""

_SYSTEM_CHECKS = """`manage.py check --database default` prints these with a hint. The first letter is the level:
Error, Warning or Information. `--fail-level WARNING` makes the exit code depend on warnings too."""


def render() -> str:
    """Return the page."""
    blocks = ["## Doctor", _DOCTOR]
    for area in Area:
        problems = [problem for problem in Problem if problem.area is area]
        if problems:
            rows = [(code(problem), str(problem.level), *PROBLEM_TEXTS[problem]) for problem in problems]
            blocks += [f"### {area.value.capitalize()}", table(("problem", "level", "meaning", "what to do"), rows)]
    checks = [(code(check_id), SYSTEM_CHECK_MEANINGS[check_id], hint) for check_id, hint in SYSTEM_CHECK_HINTS.items()]
    return page("Checks", *blocks, "## System checks", _SYSTEM_CHECKS, table(("id", "meaning", "what to do"), checks))
