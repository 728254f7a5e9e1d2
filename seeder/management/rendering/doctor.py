"""What was found in the databases: lines, the gravest first and what is alike together; or one JSON document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from unicodedata import category

from seeder.domain.doctor.diagnosis import CheckedDatabase, Diagnosis, DoctorReport, Level, Problem, group_by_problem
from seeder.domain.human_format import format_count
from seeder.domain.view_names import one_line

_SHOWN = 5  # of those that are alike, unless all are wanted
_HEADINGS = {
    Level.ERROR: "Errors: they keep views from being refreshed, or the queue from working",
    Level.WARNING: "Warnings: refreshes go on, though not as they should",
    Level.INFO: "Worth knowing",
}


class Part(Enum):
    """What a line is."""

    TOTAL = auto()
    DATABASE = auto()
    HEADING = auto()
    WORD = auto()
    FOUND = auto()
    FIX = auto()
    SQL = auto()  # to be pasted: never wrapped, nothing before it
    GAP = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    part: Part
    text: str = ""
    level: Level | None = None  # None where nothing is wrong
    indent: int = 0

    @property
    def plain(self) -> str:
        return " " * self.indent + self.text


def examination_lines(found: DoctorReport, *, everything: bool) -> Iterator[Line]:
    """In one line, where nothing was found."""
    if not found.diagnoses:
        yield Line(part=Part.TOTAL, text=f"Nothing is wrong: {'; '.join(map(_looked_at, found.databases))}.")
        return
    worst = found.diagnoses[0].level
    counts = [(found.count(level), noun) for level, noun in _NOUNS.items()]
    told = ", ".join(format_count(number, noun) for number, noun in counts if number)
    good = "" if worst is Level.ERROR else "Nothing keeps views from being refreshed: "
    yield Line(part=Part.TOTAL, text=f"{good}{told}", level=worst)
    for examined in found.databases:
        yield Line(part=Part.DATABASE, text=_looked_at(examined), indent=2)
    for level, diagnoses in groupby(found.diagnoses, key=lambda one: one.level):
        yield Line(part=Part.GAP)
        yield Line(part=Part.HEADING, text=_HEADINGS[level], level=level)
        for (word, database), alike in group_by_problem(list(diagnoses)).items():
            yield Line(part=Part.GAP)
            yield from _of_word(word, database, alike, most=None if everything else _SHOWN)


_NOUNS = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "hint"}


def _looked_at(database: CheckedDatabase) -> str:
    views = format_count(database.view_count, "view")
    return one_line(f"{database.alias}: {database.server_version}, as {database.role}, {views} asked for")


def _of_word(word: Problem, database: str, alike: Sequence[Diagnosis], *, most: int | None) -> Iterator[Line]:
    times = f" ({len(alike):,} times)" if len(alike) > 1 else ""
    text = one_line(f"{word}{times} in {database}: {word.meaning}")
    yield Line(part=Part.WORD, text=text, level=word.level)
    groups = _alike_in_words(alike)
    for group in groups[:most]:
        yield from _group(group[:most], hidden=len(group[most:]) if most else 0)
    if len(groups) > len(groups[:most]):
        rest = sum(map(len, groups[most:]))
        yield Line(part=Part.FOUND, text=f"and {rest:,} more: --all or --json has them", indent=2)


def _alike_in_words(diagnoses: Sequence[Diagnosis]) -> list[list[Diagnosis]]:
    """Those together of which the same is to be said, however many views they are of."""
    together: dict[tuple[str, str], list[Diagnosis]] = {}
    for one in diagnoses:
        together.setdefault((one.message, one.fix), []).append(one)
    return list(together.values())


def _group(shown: Sequence[Diagnosis], *, hidden: int) -> Iterator[Line]:
    more = f" and {hidden:,} more (--all or --json has them)" if hidden else ""
    about = ", ".join(one.subject for one in shown)
    yield Line(part=Part.FOUND, text=one_line(f"{about}{more}: {shown[0].message}"), indent=2)
    yield Line(part=Part.FIX, text=one_line(f"→ {shown[0].fix}"), indent=2)
    for sql in dict.fromkeys(one.sql for one in shown if one.sql):
        for line in _pasted(sql).split("\n"):
            yield Line(part=Part.SQL, text=line)


def _pasted(sql: str) -> str:
    """As it is, or not at all: an escape would be another name or text to PostgreSQL, and a command to psql."""
    text = sql.replace("\r\n", "\n")  # a form's line ends
    writes = any(category(character) in {"Cc", "Cf"} for character in text if character not in "\t\n")
    return "-- It holds characters that could write on the terminal: --json has it." if writes else text


def examination_document(found: DoctorReport) -> Mapping[str, object]:
    return {
        "databases": [
            {"alias": one.alias, "server": one.server_version, "role": one.role, "views": one.view_count}
            for one in found.databases
        ],
        "totals": {f"{noun}s": found.count(level) for level, noun in _NOUNS.items()},
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
            for one in found.diagnoses
        ],
    }
