"""Finds the values of text records that PostgreSQL does not accept for the columns of a table, and its reasons."""

from collections import defaultdict
from collections.abc import Sequence

from psycopg import sql

from data_pipeline.domain.rejects import Problem
from data_pipeline.domain.silent_changes import CHANGING_WORDS
from data_pipeline.postgres.record_tables import TEXTS, FileColumn
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

_HAS_INPUT_CHECKS = 160000  # pg_input_is_valid() and pg_input_error_info()
_CHANGING_WORD = rf"(^|[\s\[({{,\"])({'|'.join(CHANGING_WORDS)})($|[\s\])}},\"])"

# Texts that these types surely accept, for servers without pg_input_is_valid(). Other texts are tried.
_SURE = {
    "bigint": r"^[+-]?\d{1,18}$",
    "integer": r"^[+-]?\d{1,9}$",
    "smallint": r"^[+-]?\d{1,4}$",
    "boolean": r"^(true|false|t|f)$",
}
_DAYS_OF_MONTHS = r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])"
_DAY = rf"^[12]\d{{3}}-({_DAYS_OF_MONTHS})"
_SURE |= {"date": f"{_DAY}$"}
_SURE |= dict.fromkeys(
    ("timestamp with time zone", "timestamp without time zone"),
    _DAY + r"[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?Z?$",
)
_NUMERIC = r"^[+-]?\d{{1,{whole}}}(\.\d{{1,9}})?$"


class ValueChecks:
    """The checks of the columns that a file fills, on a server of any supported version."""

    def __init__(self, database: str, columns: Sequence[FileColumn], *, check_words: bool) -> None:
        self._database, self._columns, self._check_words = database, columns, check_words
        self._has_input_checks = sessions.driver_connection(database).info.server_version >= _HAS_INPUT_CHECKS

    def prepare(self) -> None:
        """Create the functions that try a value, on servers without pg_input_is_valid()."""
        if not self._has_input_checks:
            for column in self._typed_columns:
                statement = sql.SQL(STATEMENTS["create_trial"]).format(function=_trial(column), type=column.type)
                sessions.query(self._database, statement)

    def find_problems(self) -> dict[int, list[Problem]]:
        """Return the problems of `load_texts`, by record number."""
        if not self._conditions:
            return {}
        statement = sql.SQL(
            "SELECT t.record_no, p.name, p.sqlstate, p.reason, p.value FROM {texts} AS t"
            " CROSS JOIN LATERAL (VALUES {problems}) AS p (name, sqlstate, reason, value)"
            " WHERE NOT ({valid}) AND p.sqlstate IS NOT NULL ORDER BY 1"
        ).format(
            texts=TEXTS,
            valid=sql.SQL(" AND ").join(self._conditions),
            problems=sql.SQL(", ").join(self._problem(column) for column in self._checked_columns),
        )
        problems = defaultdict[int, list[Problem]](list)
        for number, name, state, reason, value in sessions.query(self._database, statement):
            problems[number].append(Problem(column=name, sqlstate=state, reason=reason, value=value))
        return problems

    @property
    def _typed_columns(self) -> Sequence[FileColumn]:
        return [one for one in self._columns if not one.target.is_any_text]

    @property
    def _checked_columns(self) -> Sequence[FileColumn]:
        return [one for one in self._columns if one.target.is_required or not one.target.is_any_text]

    @property
    def _conditions(self) -> Sequence[sql.Composable]:
        return [self._is_valid(column) for column in self._checked_columns]

    def _is_valid(self, column: FileColumn) -> sql.Composed:
        """Return the condition that PostgreSQL accepts a value."""
        parts = []
        if column.target.is_required:
            parts.append(sql.SQL("{} IS NOT NULL").format(column.text))
        if not column.target.is_any_text:
            parts.append(self._is_readable(column))
        if self._check_words and column.target.reads_date_words:
            word = sql.SQL("coalesce({} !~* {}, true)").format(column.text, sql.Literal(_CHANGING_WORD))
            parts.append(word)
        return sql.SQL("({})").format(sql.SQL(" AND ").join(parts))

    def _is_readable(self, column: FileColumn) -> sql.Composed:
        if self._has_input_checks:
            return sql.SQL("coalesce(pg_input_is_valid({}, {}), true)").format(
                column.text, sql.Literal(column.target.type)
            )
        return sql.SQL("CASE WHEN {text} IS NULL {sure} THEN true ELSE {trial}({text}) IS NULL END").format(
            text=column.text, sure=_sure_condition(column), trial=_trial(column)
        )

    def _problem(self, column: FileColumn) -> sql.Composed:
        """Return a row of the column's name, SQLSTATE, reason and value. The SQLSTATE is null if there is none."""
        name = column.target.name
        cases = []
        if column.target.is_required:
            missing = f'null value in column "{name}" violates not-null constraint'
            case = sql.SQL("WHEN {} IS NULL THEN ARRAY['23502', {}]").format(column.text, sql.Literal(missing))
            cases.append(case)
        if self._check_words and column.target.reads_date_words:
            cases.append(
                sql.SQL("WHEN {} ~* {} THEN ARRAY['22007', {}]").format(
                    column.text,
                    sql.Literal(_CHANGING_WORD),
                    sql.Literal("the value names a day relative to the load, so a repeated load would differ"),
                )
            )
        cases.append(sql.SQL("WHEN true THEN {}").format(self._refusal(column)))
        return sql.SQL("({name}, (CASE {cases} END)[1], (CASE {cases} END)[2], {text})").format(
            name=sql.Literal(name), cases=sql.SQL(" ").join(cases), text=column.text
        )

    def _refusal(self, column: FileColumn) -> sql.Composable:
        """Return an array of the SQLSTATE and the message that PostgreSQL has for a value, or null."""
        if column.target.is_any_text:
            return sql.SQL("NULL::text[]")
        if self._has_input_checks:
            return sql.SQL(
                "(SELECT ARRAY[sql_error_code, message || coalesce(': ' || detail, '')]"
                " FROM pg_input_error_info({}, {}) WHERE sql_error_code IS NOT NULL)"
            ).format(column.text, sql.Literal(column.target.type))
        return sql.SQL("{}({})").format(_trial(column), column.text)


def _trial(column: FileColumn) -> sql.Identifier:
    return sql.Identifier("pg_temp", f"load_trial_{column.position}")


def _sure_condition(column: FileColumn) -> sql.Composable:
    """Return `OR text ~ pattern` if the type surely accepts some pattern."""
    type_name = column.target.type
    pattern = _SURE.get(type_name)
    if type_name.startswith("numeric("):
        precision, _, scale = type_name.removeprefix("numeric(").rstrip(")").partition(",")
        whole = int(precision) - int(scale or 0)
        pattern = _NUMERIC.format(whole=whole - 1) if whole > 1 else None  # rounding can add a digit
    elif type_name in {"numeric", "double precision"}:
        pattern = _NUMERIC.format(whole=100)
    if pattern is None:
        return sql.SQL("")
    return sql.SQL("OR {} ~ {}").format(column.text, sql.Literal(pattern))
