"""Results of trying a manifest's query before it is stored."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from seeder.domain.view_names import ViewName
from seeder.texts import Text

MAX_QUERY_BYTES = 50_000  # UTF-8; a body of the API is limited as well
MAX_ROWS = 20
MAX_SHOWN_COLUMNS = 50
MAX_CELL_CHARACTERS = 200


class WarningCode(StrEnum):
    """What a query that PostgreSQL accepts may still do wrong."""

    VOLATILE_FUNCTIONS = "volatile_functions"
    PRIVILEGE_MISSING = "privilege_missing"
    PLAN_UNAVAILABLE = "plan_unavailable"
    ROWS_UNAVAILABLE = "rows_unavailable"
    VIEW_KEPT = "view_kept"
    UNIQUE_INDEX_LOST = "unique_index_lost"
    OTHER_QUERY = "other_query"


class ChangeKind(StrEnum):
    """How a column differs from that of the existing view."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryColumn:
    """A column that the query returns."""

    name: str
    type: str  # as format_type() prints it


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnChange:
    """A column that the query and the existing view do not have in common."""

    name: str
    kind: ChangeKind
    before: str | None = None  # type in the existing view
    after: str | None = None  # type in the query


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryProblem:
    """Why a query is refused."""

    message: str
    sqlstate: str | None = None
    line: int | None = None  # in the query, from 1
    column: int | None = None  # character in the line, from 1
    hint: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRelation:
    """A table or view that the query names."""

    name: ViewName
    can_select: bool  # by the role of this process


@dataclass(frozen=True, kw_only=True, slots=True)
class UniqueIndex:
    """A unique index of the existing view."""

    name: str
    columns: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialWarning:
    """A warning about a query that PostgreSQL accepts."""

    code: WarningCode
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstRows:
    """The first rows of a query, as text. Long texts are cut."""

    column_names: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    has_more: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryTrial:
    """What PostgreSQL says about a query. With a problem, everything else is empty."""

    problem: QueryProblem | None = None
    plan: str | None = None  # EXPLAIN; None if the role may not read a table, or the planner takes too long
    columns: Sequence[QueryColumn] = ()
    column_changes: Sequence[ColumnChange] | None = None  # None if the view does not exist
    relations: Sequence[ReadRelation] = ()
    first_rows: FirstRows | None = None  # None if they may not or could not be read
    warnings: Sequence[TrialWarning] = field(default=())


def problem_excerpt(query: str, problem: QueryProblem) -> tuple[str, str, str] | None:
    """Return the line of a problem in three parts: before the position, the character there, and after it."""
    lines = query.split("\n")
    if problem.line is None or problem.column is None or problem.line > len(lines):
        return None
    line, start = lines[problem.line - 1], problem.column - 1
    return line[:start], line[start : start + 1], line[start + 1 :]


def column_changes(existing: Sequence[QueryColumn], wanted: Sequence[QueryColumn]) -> list[ColumnChange]:
    """Return the differences of columns, removed ones last. Their order does not matter."""
    before, after = ({one.name: one.type for one in columns} for columns in (existing, wanted))
    return [
        *(
            ColumnChange(
                name=name,
                kind=ChangeKind.CHANGED if name in before else ChangeKind.ADDED,
                before=before.get(name),
                after=kind,
            )
            for name, kind in after.items()
            if before.get(name) != kind
        ),
        *(
            ColumnChange(name=name, kind=ChangeKind.REMOVED, before=kind)
            for name, kind in before.items()
            if name not in after
        ),
    ]


def privilege_warnings(relations: Collection[ReadRelation], role: str) -> Iterator[TrialWarning]:
    """Yield a warning if the role of this process cannot read what the query names."""
    if unreadable := sorted(str(one.name) for one in relations if not one.can_select):
        names = ", ".join(unreadable)
        yield TrialWarning(
            code=WarningCode.PRIVILEGE_MISSING,
            message=Text(
                "{role} may not read {relations}. If refreshes run as {role}: GRANT SELECT ON {relations} TO {role}.",
                role=role,
                relations=names,
            ),
        )


def volatile_function_warnings(functions: Sequence[str]) -> Iterator[TrialWarning]:
    """Yield a warning if the query calls functions that can have effects."""
    if functions:
        yield TrialWarning(
            code=WarningCode.VOLATILE_FUNCTIONS,
            message=Text(
                "The query calls volatile functions: {functions}. Every refresh runs them. This check does not, because"
                " no rollback undoes the effects of some, so the first rows are not shown.",
                functions=", ".join(functions),
            ),
        )


def index_warnings(indexes: Sequence[UniqueIndex], changes: Sequence[ColumnChange]) -> Iterator[TrialWarning]:
    """Yield a warning for each unique index that a recreated view could not have."""
    kinds: Mapping[str, ChangeKind] = {one.name: one.kind for one in changes}
    for index in indexes:
        lost = [name for name in index.columns if kinds.get(name) is ChangeKind.REMOVED]
        changed = [name for name in index.columns if kinds.get(name) is ChangeKind.CHANGED]
        if lost:
            message = Text(
                "The unique index {index} cannot exist any more, because the query has no column {columns}.",
                index=index.name,
                columns=", ".join(lost),
            )
        elif changed:
            message = Text(
                "The unique index {index} may refuse the new rows, because the type of {columns} changes.",
                index=index.name,
                columns=", ".join(changed),
            )
        else:
            continue
        yield TrialWarning(code=WarningCode.UNIQUE_INDEX_LOST, message=message)
