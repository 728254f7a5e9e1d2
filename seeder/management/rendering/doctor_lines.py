"""What was found in the databases: lines, the gravest first and what is alike together; or one JSON document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from unicodedata import category

from seeder.domain.doctor.diagnosis import CheckedDatabase, Diagnosis, DoctorReport, Level, Problem, group_by_problem
from seeder.domain.human_format import format_count
from seeder.domain.view_names import one_line

_MAX_SHOWN = 5  # of those that are alike, unless all are wanted
_HEADINGS = {
    Level.ERROR: "Errors: they keep views from being refreshed, or the queue from working",
    Level.WARNING: "Warnings: refreshes go on, though not as they should",
    Level.INFO: "Worth knowing",
}


class DoctorLineKind(Enum):
    """What a line is."""

    TOTAL = auto()
    DATABASE = auto()
    HEADING = auto()
    PROBLEM = auto()
    DIAGNOSIS = auto()
    FIX = auto()
    SQL = auto()  # to be pasted: never wrapped, nothing before it
    BLANK = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorLine:
    kind: DoctorLineKind
    text: str = ""
    level: Level | None = None  # None where nothing is wrong
    indent: int = 0

    @property
    def plain_text(self) -> str:
        return " " * self.indent + self.text


def doctor_report_lines(report: DoctorReport, *, show_all: bool) -> Iterator[DoctorLine]:
    """In one line, where nothing was found."""
    if not report.diagnoses:
        yield DoctorLine(
            kind=DoctorLineKind.TOTAL, text=f"Nothing is wrong: {'; '.join(map(_database_text, report.databases))}."
        )
        return
    highest_level = report.diagnoses[0].level
    counts = [(report.count(level), noun) for level, noun in _LEVEL_NOUNS.items()]
    counts_text = ", ".join(format_count(number, noun) for number, noun in counts if number)
    prefix = "" if highest_level is Level.ERROR else "Nothing keeps views from being refreshed: "
    yield DoctorLine(kind=DoctorLineKind.TOTAL, text=f"{prefix}{counts_text}", level=highest_level)
    for checked_database in report.databases:
        yield DoctorLine(kind=DoctorLineKind.DATABASE, text=_database_text(checked_database), indent=2)
    for level, diagnoses in groupby(report.diagnoses, key=lambda one: one.level):
        yield DoctorLine(kind=DoctorLineKind.BLANK)
        yield DoctorLine(kind=DoctorLineKind.HEADING, text=_HEADINGS[level], level=level)
        for (problem, database), same_problem in group_by_problem(list(diagnoses)).items():
            yield DoctorLine(kind=DoctorLineKind.BLANK)
            yield from _problem_lines(problem, database, same_problem, max_shown=None if show_all else _MAX_SHOWN)


_LEVEL_NOUNS = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "hint"}


def _database_text(database: CheckedDatabase) -> str:
    views = format_count(database.view_count, "view")
    return one_line(f"{database.alias}: {database.server_version}, as {database.role}, {views} in manifests")


def _problem_lines(
    problem: Problem, database: str, diagnoses: Sequence[Diagnosis], *, max_shown: int | None
) -> Iterator[DoctorLine]:
    times = f" ({len(diagnoses):,} times)" if len(diagnoses) > 1 else ""
    text = one_line(f"{problem}{times} in {database}: {problem.meaning}")
    yield DoctorLine(kind=DoctorLineKind.PROBLEM, text=text, level=problem.level)
    groups = _group_by_message_and_fix(diagnoses)
    for group in groups[:max_shown]:
        yield from _diagnosis_lines(group[:max_shown], hidden_count=len(group[max_shown:]) if max_shown else 0)
    if len(groups) > len(groups[:max_shown]):
        hidden_count = sum(map(len, groups[max_shown:]))
        yield DoctorLine(
            kind=DoctorLineKind.DIAGNOSIS, text=f"and {hidden_count:,} more: --all or --json has them", indent=2
        )


def _group_by_message_and_fix(diagnoses: Sequence[Diagnosis]) -> list[list[Diagnosis]]:
    """Those together of which the same is to be said, however many views they are of."""
    groups: dict[tuple[str, str], list[Diagnosis]] = {}
    for one in diagnoses:
        groups.setdefault((one.message, one.fix), []).append(one)
    return list(groups.values())


def _diagnosis_lines(diagnoses: Sequence[Diagnosis], *, hidden_count: int) -> Iterator[DoctorLine]:
    hidden_text = f" and {hidden_count:,} more (--all or --json has them)" if hidden_count else ""
    subjects = ", ".join(one.subject for one in diagnoses)
    yield DoctorLine(
        kind=DoctorLineKind.DIAGNOSIS, text=one_line(f"{subjects}{hidden_text}: {diagnoses[0].message}"), indent=2
    )
    yield DoctorLine(kind=DoctorLineKind.FIX, text=one_line(f"→ {diagnoses[0].fix}"), indent=2)
    for sql in dict.fromkeys(one.sql for one in diagnoses if one.sql):
        for line in _sql_to_paste(sql).split("\n"):
            yield DoctorLine(kind=DoctorLineKind.SQL, text=line)


def _sql_to_paste(sql: str) -> str:
    """As it is, or not at all: an escape would be another name or text to PostgreSQL, and a command to psql."""
    text = sql.replace("\r\n", "\n")  # a form's line ends
    has_control_characters = any(category(character) in {"Cc", "Cf"} for character in text if character not in "\t\n")
    return "-- It holds characters that could write on the terminal: --json has it." if has_control_characters else text


def doctor_report_json(report: DoctorReport) -> Mapping[str, object]:
    return {
        "databases": [
            {"alias": one.alias, "server": one.server_version, "role": one.role, "views": one.view_count}
            for one in report.databases
        ],
        "totals": {f"{noun}s": report.count(level) for level, noun in _LEVEL_NOUNS.items()},
        "diagnoses": [
            {
                "word": one.problem,
                "level": str(one.level),
                "area": one.problem.area,
                "database": one.database,
                "about": one.subject,
                "message": one.message,
                "fix": one.fix,
                "sql": one.sql or None,
            }
            for one in report.diagnoses
        ],
    }
