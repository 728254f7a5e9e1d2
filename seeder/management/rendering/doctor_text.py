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
from seeder.texts import Text

_MAX_SHOWN = 5  # similar problems, unless all are requested
_LEVELS = {
    Level.ERROR: ("error", "red", Text("Errors: they prevent refreshes or stop the queue")),
    Level.WARNING: ("warning", "yellow", Text("Warnings: refreshes run, but not as intended")),
    Level.INFO: ("hint", "cyan", Text("Hints: for information only")),
}


def doctor_blocks(report: DoctorReport, *, show_all: bool) -> Iterator[Block]:
    if not report.diagnoses:
        databases = Text.joined(map(_database_text, report.databases), "; ")
        yield Text("No problems: {databases}.", databases=databases), "bold green"
        return
    counts = [format_count(number, noun) for level, (noun, *_) in _LEVELS.items() if (number := report.count(level))]
    if not report.count(Level.ERROR):
        counts.insert(0, Text("No errors"))
    _, color, _ = _LEVELS[report.diagnoses[0].problem.level]
    yield Text.joined(counts), f"bold {color}"
    for database in report.databases:
        yield _indented(_database_text(database)), "dim"
    for level, same_level in groupby(report.diagnoses, key=attrgetter("problem.level")):
        _, color, heading = _LEVELS[level]
        yield ""
        yield heading, f"bold {color}"
        for same_problem in _group(same_level, attrgetter("problem", "database")):
            yield ""
            yield one_line(_problem_text(same_problem)), color
            yield from _problem_blocks(same_problem, max_shown=None if show_all else _MAX_SHOWN)


def _problem_text(diagnoses: list[Diagnosis]) -> Text:
    first = diagnoses[0]
    facts = {"problem": first.problem.name, "database": first.database, "meaning": first.problem.meaning}
    if len(diagnoses) == 1:
        return Text("{problem} in {database}: {meaning}", **facts)
    return Text("{problem} ({times}) in {database}: {meaning}", times=format_count(len(diagnoses), "time"), **facts)


def _indented(text: str) -> Text:
    return Text.joined(["  ", text], "")


def _database_text(database: CheckedDatabase) -> str:
    server, views = database.server, format_count(len(database.views), "view")
    text = Text(
        "{database}: {server}, as {role}, {views} in manifests",
        database=database.alias,
        server=server.version_text,
        role=server.role,
        views=views,
    )
    return one_line(text)


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
        text = Text.joined(diagnosis.subject for diagnosis in shown)
        if more := len(group) - len(shown):
            text = Text("{subjects} and {number:,} more (--all or --json has them)", subjects=text, number=more)
        if shown[0].message != shown[0].problem.meaning:
            text = Text.joined([text, shown[0].message], ": ")
        yield one_line(_indented(text))
        yield one_line(_indented(Text.joined(["→", shown[0].fix], " ")))
        for sql in dict.fromkeys(diagnosis.sql for diagnosis in shown if diagnosis.sql):
            yield from (Verbatim(line, style="bold") for line in _pasteable_lines(sql))
    if hidden_count := sum(map(len, groups)) - sum(map(len, groups[:max_shown])):
        yield _indented(Text("and {number:,} more: --all or --json has them", number=hidden_count))


def _pasteable_lines(sql: str) -> list[str]:
    """Return the lines of the SQL, or a comment if a terminal would interpret it."""
    text = sql.replace("\r\n", "\n")  # line ends of a web form
    has_control_characters = any(category(character) in {"Cc", "Cf"} for character in text if character not in "\t\n")
    return [Text("-- It has control characters: --json has it.")] if has_control_characters else text.split("\n")
