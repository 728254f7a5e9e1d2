"""The doctor's report as text: most severe first, and similar problems together."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from unicodedata import category

from seeder.domain.human_format import format_count
from seeder.domain.view_names import one_line
from seeder.management.rendering.command_output import Block, Verbatim
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, Level
from seeder.services.doctor.run_checks import DoctorReport

_MAX_SHOWN = 5  # similar problems, unless all are requested
_LEVELS = {
    Level.ERROR: ("error", "red", "Errors: they prevent refreshes or stop the queue"),
    Level.WARNING: ("warning", "yellow", "Warnings: refreshes run, but not as intended"),
    Level.INFO: ("hint", "cyan", "Hints: for information only"),
}


def doctor_blocks(report: DoctorReport, *, show_all: bool) -> Iterator[Block]:
    if not report.diagnoses:
        yield f"No problems: {'; '.join(map(_database_text, report.databases))}.", "bold green"
        return
    counts = [format_count(number, noun) for level, (noun, *_) in _LEVELS.items() if (number := report.count(level))]
    prefix = "" if report.count(Level.ERROR) else "No errors, "
    _, color, _ = _LEVELS[report.diagnoses[0].problem.level]
    yield prefix + ", ".join(counts), f"bold {color}"
    for database in report.databases:
        yield f"  {_database_text(database)}", "dim"
    for level, same_level in groupby(report.diagnoses, key=attrgetter("problem.level")):
        _, color, heading = _LEVELS[level]
        yield ""
        yield heading, f"bold {color}"
        for same_problem in _group(same_level, attrgetter("problem", "database")):
            yield ""
            first, times = same_problem[0], f" ({len(same_problem):,} times)" if len(same_problem) > 1 else ""
            yield one_line(f"{first.problem.name}{times} in {first.database}: {first.problem.meaning}"), color
            yield from _problem_blocks(same_problem, max_shown=None if show_all else _MAX_SHOWN)


def _database_text(database: CheckedDatabase) -> str:
    server, views = database.server, format_count(len(database.views), "view")
    return one_line(f"{database.alias}: {server.version_text}, as {server.role}, {views} in manifests")


def _group(diagnoses: Iterable[Diagnosis], key: Callable[[Diagnosis], object]) -> list[list[Diagnosis]]:
    """Group by key, in the order of the first of each group."""
    groups: dict[object, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        groups.setdefault(key(diagnosis), []).append(diagnosis)
    return list(groups.values())


def _problem_blocks(diagnoses: list[Diagnosis], *, max_shown: int | None) -> Iterator[Block]:
    groups = _group(diagnoses, attrgetter("message", "fix"))
    for group in groups[:max_shown]:
        shown = group[:max_shown]
        subjects = ", ".join(diagnosis.subject for diagnosis in shown)
        more = f" and {len(group) - len(shown):,} more (--all or --json has them)" if len(group) > len(shown) else ""
        details = "" if shown[0].message == shown[0].problem.meaning else f": {shown[0].message}"
        yield one_line(f"  {subjects}{more}{details}")
        yield one_line(f"  → {shown[0].fix}")
        for sql in dict.fromkeys(diagnosis.sql for diagnosis in shown if diagnosis.sql):
            yield from (Verbatim(line, style="bold") for line in _pasteable(sql).split("\n"))
    if hidden_count := sum(map(len, groups)) - sum(map(len, groups[:max_shown])):
        yield f"  and {hidden_count:,} more: --all or --json has them"


def _pasteable(sql: str) -> str:
    """Return the SQL, or a comment if a terminal would interpret it."""
    text = sql.replace("\r\n", "\n")  # line ends of a web form
    has_control_characters = any(category(character) in {"Cc", "Cf"} for character in text if character not in "\t\n")
    return "-- It has control characters: --json has it." if has_control_characters else text
