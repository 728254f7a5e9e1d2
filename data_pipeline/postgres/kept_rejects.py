"""Statements that write, read and change the rejects in `load_reject`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from django.db import connections
from psycopg import Cursor, sql

from data_pipeline.domain.correction_files import RejectedRecord
from data_pipeline.domain.reject_collector import MAX_KEPT_BYTES, MAX_RAW_AFTERWARDS
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem, Reject, RejectState
from data_pipeline.domain.storable_text import escape_unstorable
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

_COLUMNS = ("load_id", "line_no", "record_no", "problems", "raw")
_PROBLEM_FIELDS = [one.name for one in fields(Problem)]


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptReject:
    """A rejected record and its state."""

    record: RejectedRecord
    state: RejectState
    replayed_by: int | None  # a load


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemCount:
    """A kind of problem, and the number of rejects that have it."""

    column: str | None  # None for records as a whole
    sqlstate: str
    records: int


def save_rejects(database: str, load_id: int, rejects: Iterable[Reject]) -> None:
    """Replace the rejects of earlier attempts of a load."""
    sessions.query(database, "DELETE FROM load_reject WHERE load_id = %(load_id)s", {"load_id": load_id})
    statement = sql.SQL("COPY load_reject ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))
    session = sessions.driver_connection(database)
    with connections[database].wrap_database_errors, Cursor(session) as cursor, cursor.copy(statement) as copy:
        for reject in rejects:
            problems = [{name: _storable(getattr(one, name)) for name in _PROBLEM_FIELDS} for one in reject.problems]
            copy.write_row((load_id, reject.line_no, reject.record_no, jsonb(problems), reject.raw))


def _storable(text: str | None) -> str | None:
    return text and escape_unstorable(text)


def read_rejects(
    database: str,
    load_id: int,
    *,
    state: RejectState | None = None,
    numbers: Sequence[int] | None = None,
    limit: int | None = None,
) -> Sequence[KeptReject]:
    """Return rejects in file order, of any or some record numbers."""
    parameters = {"load_id": load_id, "state": state, "numbers": numbers and list(numbers), "limit": limit}
    limits = {"max_raw": MAX_RAW_BYTES, "raw_afterwards": MAX_RAW_AFTERWARDS, "max_kept": MAX_KEPT_BYTES}
    return [
        KeptReject(
            record=RejectedRecord(
                record_no=record_no,
                line_no=line_no,
                raw=bytes(raw),
                problems=[Problem(**one) for one in json.loads(problems)],  # Django's connections return JSON as text
                is_shortened=bool(is_shortened),  # it may be the beginning of a longer record
            ),
            state=RejectState(state),
            replayed_by=replayed_by,
        )
        for record_no, line_no, state, replayed_by, problems, raw, is_shortened in sessions.query(
            database, STATEMENTS["kept_rejects"], {**parameters, **limits}
        )
    ]


def count_by_state(database: str, load_id: int) -> Mapping[RejectState, int]:
    """Return the number of kept rejects of a load in each state."""
    rows = sessions.query(database, STATEMENTS["reject_counts"], {"load_id": load_id})
    return {RejectState(state): number for state, number in rows}


def count_by_problem(database: str, load_id: int, *, limit: int) -> Sequence[ProblemCount]:
    """Return the problems of a load's rejects, the most frequent first."""
    rows = sessions.query(database, STATEMENTS["problem_counts"], {"load_id": load_id, "limit": limit})
    return [ProblemCount(column=column, sqlstate=state, records=records) for column, state, records in rows]


def keep_from_undo(database: str, load_id: int) -> bool:
    """Keep a load in its table until the end of the transaction. Return False if it is not there."""
    return bool(sessions.query(database, STATEMENTS["lock_rejected_load"], {"load_id": load_id}))


def lock_open(database: str, load_id: int, numbers: Sequence[int]) -> Sequence[int]:
    """Lock open rejects. Return the record numbers of those that are still open."""
    parameters = {"load_id": load_id, "numbers": list(numbers)}
    return [number for (number,) in sessions.query(database, STATEMENTS["lock_rejects"], parameters)]


def mark_replayed(database: str, load_id: int, numbers: Sequence[int], *, replayed_by: int, actor: str) -> None:
    """Mark rejects as loaded by another load."""
    parameters = {"load_id": load_id, "numbers": list(numbers), "replayed_by": replayed_by, "actor": actor}
    sessions.query(database, STATEMENTS["mark_replayed"], parameters)


def dismiss_load(database: str, load_id: int, *, actor: str) -> tuple[int, bool]:
    """Dismiss a load. Return the number of its rejects that were open, and whether its failure counted until now."""
    [(rejects, is_failure)] = sessions.query(database, STATEMENTS["dismiss_load"], {"load_id": load_id, "actor": actor})
    return rejects, is_failure
