"""Tries a manifest's query in a session and a transaction of its own, which is always rolled back.

The query is untrusted. PostgreSQL refuses a second statement, because the extended protocol accepts one only. A
temporary view of the query executes nothing; it shows columns, relations and functions. From then on the transaction is
read-only. The planner can run stable functions, and the first rows run the entire query, but never with a volatile
function: some have effects that no rollback undoes. The session ends with the trial, and with it everything that it
holds, such as advisory locks.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from itertools import chain

from django.db import Error
from psycopg import sql
from psycopg.rows import class_row

from seeder.domain import query_trials
from seeder.domain.query_trials import (
    MAX_CELL_CHARACTERS,
    MAX_ROWS,
    MAX_SHOWN_COLUMNS,
    FirstRows,
    QueryColumn,
    QueryProblem,
    QueryTrial,
    ReadRelation,
    TrialWarning,
    UniqueIndex,
    WarningCode,
)
from seeder.domain.view_names import ViewName
from seeder.postgres import catalog, private_sessions, sessions, sqlstates, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS
from seeder.texts import Text

STATEMENT_TIMEOUT = timedelta(seconds=5)
_LOCK_TIMEOUT = timedelta(milliseconds=500)  # less than deadlock_timeout, after which PostgreSQL ends one of two
_TRIAL_VIEW = ViewName(schema="pg_temp", name="seeder_comparison_0")


def try_query(database: str, view: ViewName, query: str, *, can_see_data: bool) -> QueryTrial:
    """Return what PostgreSQL says about a query, and how it differs from the existing view.

    Without `can_see_data`, neither rows nor messages that can quote them are returned. Raises errors that are not
    about the query, such as a lost connection.
    """
    with private_sessions.private_session(database), transactions.rolled_back_atomic(database):
        limits = {"statement_timeout": _milliseconds(STATEMENT_TIMEOUT), "lock_timeout": _milliseconds(_LOCK_TIMEOUT)}
        [(_, _, role)] = sessions.query(database, STATEMENTS["limit_trial"], limits)
        statement = view_statements.create_comparison_view(0, query)
        refusal = _attempt(database, statement)
        if isinstance(refusal, Error):
            return QueryTrial(problem=_describe(database, statement, refusal))
        functions = [name for (name,) in sessions.query(database, STATEMENTS["trial_volatile_functions"])]
        trial = _describe_query(database, view)
        sessions.query(database, STATEMENTS["forbid_writes"])
        plan = _plan(database, view, query, can_see_data=can_see_data)
        if isinstance(plan, QueryProblem):
            return QueryTrial(problem=plan)
        rows = _first_rows(database, trial.columns) if can_see_data and not functions else None
        indexes = sessions.query(
            database, STATEMENTS["view_unique_indexes"], asdict(view), row_factory=class_row(UniqueIndex)
        )
    return replace(
        trial,
        plan=None if isinstance(plan, TrialWarning) else plan,
        first_rows=rows if isinstance(rows, FirstRows) else None,
        warnings=tuple(
            chain(
                query_trials.volatile_function_warnings(functions),
                query_trials.privilege_warnings(trial.relations, role),
                (one for one in (plan, rows) if isinstance(one, TrialWarning)),
                query_trials.index_warnings(indexes, trial.column_changes or ()),
            )
        ),
    )


def _milliseconds(limit: timedelta) -> int:
    return limit // timedelta(milliseconds=1)


def _attempt(database: str, statement: sql.Composed) -> sessions.Rows | Error:
    """Run one untrusted statement in a savepoint. Raises errors that are not about the statement."""
    result = transactions.attempt(database, partial(sessions.query_single_statement, database, statement))
    if isinstance(result, Error) and not _is_about_query(result):
        raise result
    return result


def _is_about_query(error: Error) -> bool:
    """Return whether the query, its privileges or its time limit cause an error."""
    state = sqlstates.sqlstate(error)
    expected = {sqlstates.INSUFFICIENT_PRIVILEGE, sqlstates.QUERY_CANCELED, sqlstates.READ_ONLY}
    return sqlstates.is_query_error(error) or state in expected


def _describe(database: str, statement: sql.Composed, error: Error, *, can_see_data: bool = True) -> QueryProblem:
    """Return PostgreSQL's message and its position in the query, which begins in the statement's second line."""
    report = sqlstates.error_report(error)
    state = sqlstates.sqlstate(error)
    if not can_see_data:
        return QueryProblem(
            message=Text(
                "{condition}. Users of seeder.view_errors see the message.", condition=sqlstates.condition_name(state)
            ),
            sqlstate=state,
        )
    line = column = None
    if report.position is not None:
        before = statement.as_string(sessions.driver_connection(database))[: report.position - 1]
        line, column = before.count("\n"), len(before) - before.rfind("\n")
    return QueryProblem(message=report.message, sqlstate=state, line=line or None, column=column, hint=report.hint)


def _describe_query(database: str, view: ViewName) -> QueryTrial:
    as_column = class_row(QueryColumn)
    columns = sessions.query(database, STATEMENTS["trial_columns"], row_factory=as_column)
    existing = [QueryColumn(name=name, type=kind) for _, name, kind, _ in catalog.columns(database, [view])]
    relations = sessions.query(database, STATEMENTS["trial_relations"])
    return QueryTrial(
        columns=columns,
        column_changes=query_trials.column_changes(existing, columns) if existing else None,
        relations=[
            ReadRelation(name=ViewName(schema=schema, name=name), can_select=can_select)
            for schema, name, can_select in relations
        ],
    )


def _plan(database: str, view: ViewName, query: str, *, can_see_data: bool) -> str | QueryProblem | TrialWarning:
    """Return the plan as text, why there is none, or why the query cannot be that of a materialized view."""
    statement = view_statements.explain_materialized_view(ViewName(schema=view.schema, name="seeder_trial"), query)
    lines = _attempt(database, statement)
    if not isinstance(lines, Error):
        return "\n".join(line for (line,) in lines)
    if sqlstates.sqlstate(lines) in {sqlstates.INSUFFICIENT_PRIVILEGE, sqlstates.QUERY_CANCELED}:
        return _unavailable(WarningCode.PLAN_UNAVAILABLE, Text("There is no plan"), lines)
    return _describe(database, statement, lines, can_see_data=can_see_data)


def _first_rows(database: str, columns: Sequence[QueryColumn]) -> FirstRows | TrialWarning:
    shown = columns[:MAX_SHOWN_COLUMNS]
    if not shown:
        return FirstRows(column_names=(), rows=(), has_more=False)
    statement = view_statements.select_texts(
        _TRIAL_VIEW, [one.name for one in shown], max_characters=MAX_CELL_CHARACTERS, max_rows=MAX_ROWS + 1
    )
    rows = _attempt(database, statement)
    if isinstance(rows, Error):
        return _unavailable(WarningCode.ROWS_UNAVAILABLE, Text("The first rows cannot be shown"), rows)
    names = [one.name for one in shown]
    return FirstRows(column_names=names, rows=rows[:MAX_ROWS], has_more=len(rows) > MAX_ROWS)


def _unavailable(code: WarningCode, effect: Text, error: Error) -> TrialWarning:
    message = Text("{effect}: {cause}.", effect=effect, cause=sqlstates.first_line(error))
    if sqlstates.sqlstate(error) == sqlstates.QUERY_CANCELED:
        seconds = STATEMENT_TIMEOUT.total_seconds()
        message = Text("{effect}: it took more than {seconds:g} s.", effect=effect, seconds=seconds)
    return TrialWarning(code=code, message=message)
