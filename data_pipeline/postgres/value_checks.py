"""Finds values that PostgreSQL does not accept, and its reasons.

The values are texts of records, which are checked for the types of the target's columns.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from django.db import Error
from psycopg import sql

from data_pipeline.domain.rejects import MAX_TEXT_LENGTH, Problem
from data_pipeline.domain.silent_changes import CHANGING_WORDS
from data_pipeline.domain.type_patterns import pattern_of_type
from data_pipeline.postgres.row_errors import is_refusal
from data_pipeline.postgres.row_sets import RECORD_NO, number_list
from data_pipeline.postgres.staging_tables import TEXTS, FileColumn
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions
from seeder.postgres.transactions import attempt

_HAS_INPUT_CHECKS = 160000  # pg_input_is_valid() and pg_input_error_info()
_CHANGING_WORD = rf"(^|[^a-z])({'|'.join(CHANGING_WORDS)})($|[^a-z])"


class ValueChecks:
    """The checks of the columns that a file fills.

    They work on every supported server. `text` returns the expression of a column in `TEXTS`.
    """

    def __init__(
        self, database: str, columns: Sequence[FileColumn], *, text: Callable[[FileColumn], sql.Composable]
    ) -> None:
        self._database, self._columns, self._text = database, columns, text
        self._has_input_checks = sessions.driver_connection(database).info.server_version >= _HAS_INPUT_CHECKS
        self._trials = {
            column.target.type: sql.Identifier("pg_temp", f"data_pipeline.trial_{column.position}")
            for column in self._typed_columns
        }

    def prepare(self) -> None:
        """Create the functions that try a value, on servers without pg_input_is_valid()."""
        if not self._has_input_checks:
            for column in {one.target.type: one.target for one in self._typed_columns}.values():
                # PL/pgSQL cannot assign a text to a variable of a composite type.
                value = sql.SQL("value::{}").format(sql.SQL(column.type)) if column.is_composite else sql.SQL("value")
                statement = sql.SQL(STATEMENTS["create_trial"]).format(
                    function=self._trials[column.type], type=sql.SQL(column.type), value=value
                )
                sessions.query(self._database, statement)

    def find_problems(self, numbers: Collection[int] | None = None) -> dict[int, list[Problem]]:
        """Return the problems of `TEXTS` by record number.

        They can be those of some records.
        """
        if not self._conditions:
            return {}
        statement = self._statement(numbers)
        rows = attempt(self._database, lambda: sessions.query(self._database, statement))
        if isinstance(rows, Error):
            if not (self._has_input_checks and is_refusal(rows)):
                raise rows
            # The input function of a type, or the check of a domain, raises an error, which stops the query.
            self._has_input_checks = False
            self.prepare()
            return self.find_problems(numbers)
        problems = defaultdict[int, list[Problem]](list)
        for number, name, (state, reason), value in rows:
            problems[number].append(Problem(column=name, sqlstate=state, reason=reason, value=value))
        return problems

    def _statement(self, numbers: Collection[int] | None) -> sql.Composed:
        texts: sql.Composable = TEXTS
        if numbers is not None:
            texts = sql.SQL("(SELECT * FROM {} WHERE {} = ANY ({}))").format(TEXTS, RECORD_NO, number_list(numbers))
        return sql.SQL(
            "SELECT t.{number}, p.name, p.refusal, left(p.value, {length}) FROM {texts} AS t"
            " CROSS JOIN LATERAL (VALUES {problems}) AS p (name, refusal, value)"
            " WHERE NOT ({valid}) AND p.refusal IS NOT NULL ORDER BY 1"
        ).format(
            number=RECORD_NO,
            length=sql.Literal(MAX_TEXT_LENGTH),
            texts=texts,
            valid=sql.SQL(" AND ").join(self._conditions),
            problems=sql.SQL(", ").join(self._problem(column) for column in self._checked_columns),
        )

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
        parts, text = [], self._text(column)
        if column.target.is_required:
            parts.append(sql.SQL("{} IS NOT NULL").format(text))
        if not column.target.is_any_text:
            parts.append(self._is_readable(column))
        if column.target.reads_date_words:
            word = sql.SQL("coalesce({} !~* {}, true)").format(text, sql.Literal(_CHANGING_WORD))
            parts.append(word)
        return sql.SQL("({})").format(sql.SQL(" AND ").join(parts))

    def _is_readable(self, column: FileColumn) -> sql.Composed:
        if self._has_input_checks:
            return sql.SQL("coalesce(pg_input_is_valid({}, {}), true)").format(
                self._text(column), sql.Literal(column.target.type)
            )
        text = self._text(column)
        return sql.SQL("CASE WHEN {text} IS NULL{sure} THEN true ELSE {trial}({text}) IS NULL END").format(
            text=text, sure=_sure_condition(column, text), trial=self._trials[column.target.type]
        )

    def _problem(self, column: FileColumn) -> sql.Composed:
        """Return a row of column name, refusal and value.

        The refusal is an array of SQLSTATE and reason, or null without a problem.
        """
        name, text = column.target.name, self._text(column)
        cases = []
        if column.target.is_required:
            missing = f'null value in column "{name}" violates not-null constraint'
            case = sql.SQL("WHEN {} IS NULL THEN ARRAY['23502', {}]").format(text, sql.Literal(missing))
            cases.append(case)
        if column.target.reads_date_words:
            cases.append(
                sql.SQL("WHEN {} ~* {} THEN ARRAY['22007', {}]").format(
                    text,
                    sql.Literal(_CHANGING_WORD),
                    sql.Literal("the value names a day relative to the load, so a repeated load would differ"),
                )
            )
        cases.append(sql.SQL("WHEN true THEN {}").format(self._refusal(column)))
        return sql.SQL("({}, CASE {} END, {})").format(sql.Literal(name), sql.SQL(" ").join(cases), text)

    def _refusal(self, column: FileColumn) -> sql.Composable:
        """Return an array of SQLSTATE and message, or null.

        Null means a good value.
        """
        if column.target.is_any_text:
            return sql.SQL("NULL::text[]")
        if self._has_input_checks:
            return sql.SQL(
                "(SELECT ARRAY[sql_error_code, left(message || coalesce(': ' || detail, ''), {})]"
                " FROM pg_input_error_info({}, {}) WHERE sql_error_code IS NOT NULL)"
            ).format(sql.Literal(MAX_TEXT_LENGTH), self._text(column), sql.Literal(column.target.type))
        return sql.SQL("{}({})").format(self._trials[column.target.type], self._text(column))


def _sure_condition(column: FileColumn, text: sql.Composable) -> sql.Composable:
    """Return ` OR text ~ pattern` if a pattern is always accepted."""
    pattern = pattern_of_type(column.target.type)
    if pattern is None:
        return sql.SQL("")
    return sql.SQL(" OR {} ~ {}").format(text, sql.Literal(f"^(?:{pattern})$"))
