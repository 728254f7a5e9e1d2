"""Causes of failures with the next step for each; docs/reference/reasons.md is generated from them."""

from collections.abc import Mapping
from typing import NamedTuple


class FailureReason(NamedTuple):
    """One reason. Whether it is retried and blames the server is decided in `postgres.sqlstates`."""

    cause: str
    advice: str


_AS_LOST = "As for `lost_connection`."
_AGAIN = "Refresh again."
_CORRECT = "Correct the manifest's query."

OWN_REASONS: Mapping[str, FailureReason] = {
    "bad_name": FailureReason(
        "The manifest's `table_name` is not a view's name. The manifest is left out.",
        "Correct `table_name`. Quote parts with capitals or blanks; a part has at most 63 bytes.",
    ),
    "database_unmapped": FailureReason(
        'The manifest\'s `database_id` is not in `SEEDER["DATABASES"]`. The manifest is left out.',
        "Add the id there, or correct the manifest.",
    ),
    "report_missing": FailureReason(
        "An agency subscribes to a canned report that does not exist. The subscription is left out.",
        "Restore the report, or delete the row of `seeder_canned_report_manifest`.",
    ),
    "server_busy": FailureReason(
        "The throttle held all starts for `MAX_WAIT_SECONDS`. Remaining views were given up.",
        "Find the active sessions; refresh when the server is idle. If it repeats, raise `MAX_DB_ACTIVE_QUERIES` or"
        " start earlier.",
    ),
    "circuit_open": FailureReason(
        "The circuit breaker was open for `MAX_WAIT_SECONDS` and no trial succeeded. Remaining views were given up.",
        "The failures before it have the cause. Then close the breaker or wait for a trial, and refresh again.",
    ),
    "lost_connection": FailureReason(
        "On every attempt the server was down, refused the connection or closed it.",
        "Check the server with `manage.py dbshell`. Its log has the cause: a crash, out of memory, `max_connections`, a"
        " changed login.",
    ),
}

# By SQLSTATE. A test requires every SQLSTATE by which the code decides.
CONDITIONS: Mapping[str, FailureReason] = {
    "55P03": FailureReason(
        "Another session held a lock on the view longer than `LOCK_TIMEOUT_MS`, on all attempts. `errors` names it.",
        "Wait for that session or end it, and refresh again. If the same report repeats it, use `REFRESH_CONCURRENTLY`,"
        " another hour, or a longer `LOCK_TIMEOUT_MS`.",
    ),
    "40P01": FailureReason(
        "The refresh and another transaction waited for each other.",
        "Refresh again. The server's log names the other statement.",
    ),
    "40001": FailureReason("It conflicted with a concurrent transaction.", _AGAIN),
    "25P03": FailureReason(
        "The client stalled during a refresh.",
        "Check if its machine is overloaded or suspended. Refresh again.",
    ),
    "57P05": FailureReason(
        "The server ends idle sessions, also seeder's.",
        "Run `ALTER ROLE … SET idle_session_timeout = 0` for its role.",
    ),
    "25P04": FailureReason(
        "The server's `transaction_timeout` (17 and later) is shorter than the refresh.",
        "Run `ALTER ROLE … SET transaction_timeout = 0` for its role, and use `STATEMENT_TIMEOUT_MS` instead.",
    ),
    "57014": FailureReason(
        "It took longer than `STATEMENT_TIMEOUT_MS`, or it was cancelled. `statement_timeout` of the role or the server"
        " does not apply to refreshes.",
        "Compare with its usual duration (`manage.py refresh_status --json`). Raise the limit, or tune the query.",
    ),
    "08000": FailureReason("The connection broke.", _AS_LOST),
    "08006": FailureReason("The connection broke.", _AS_LOST),
    "08P01": FailureReason(
        "Usually a proxy before the server is full or does not support the protocol.",
        "Connect to PostgreSQL directly, or enlarge the proxy's pool.",
    ),
    "57P01": FailureReason(
        "The server was shut down, or the session was terminated.",
        "Refresh again when the server is back.",
    ),
    "57P02": FailureReason(
        "Another session crashed, and the server restarted.",
        "The server's log names it. Refresh again.",
    ),
    "57P03": FailureReason(
        "The server is starting, stopping or recovering.",
        "Wait until `manage.py dbshell` answers. Refresh again.",
    ),
    "57P04": FailureReason("The database was dropped.", "Find out by which session. Restore it."),
    "53300": FailureReason(
        "No connection was free.",
        "Lower `MAX_WORKERS`, or raise `max_connections`.",
    ),
    "53100": FailureReason(
        "The server's disk is full. The view is unchanged.",
        "First free disk space: a refresh needs the size of the view once more.",
    ),
    "53200": FailureReason(
        "The server had no memory left.",
        "Lower `MAX_WORKERS` or `work_mem`. Refresh the view alone with `manage.py refresh_table SCHEMA.TABLE`.",
    ),
    "53000": FailureReason("The server is short of a resource. `errors` names it.", "Ask the server's owner."),
    "53400": FailureReason(
        "The query needs more temporary files than `temp_file_limit` allows. The view is unchanged.",
        "Raise the limit for seeder's role, or make the query need less.",
    ),
    "54000": FailureReason(
        "A limit of PostgreSQL was exceeded: the number of columns, or the length of a row or value.",
        "Change the query.",
    ),
    "58030": FailureReason(
        "The server could not read or write a file.",
        "Tell the server's owner at once: a disk may be failing.",
    ),
    "XX000": FailureReason(
        "A fault in PostgreSQL or an extension.",
        "Read the server's log. Install the latest minor version.",
    ),
    "XX001": FailureReason(
        "A table that the view reads is damaged.",
        "Tell the server's owner at once. Do not drop anything.",
    ),
    "XX002": FailureReason(
        "An index that the view reads is damaged.",
        "Ask the server's owner to `REINDEX` it and to find the cause.",
    ),
    "25006": FailureReason(
        "The server is a standby or read-only, or the view's query writes.",
        "Check `SELECT pg_is_in_recovery()`. `DATABASES` must name the primary.",
    ),
    "25P02": FailureReason(
        "An earlier statement of the transaction had failed.",
        "The server's log has its error, directly before.",
    ),
    "42501": FailureReason(
        "Seeder's role may not refresh the view, or the view's owner may not read a source. `errors` names it.",
        "Ask the owner for the `GRANT` in `errors`.",
    ),
    "42P01": FailureReason(
        "The view was dropped meanwhile, or its query names a missing table. If the view exists, a function in it names"
        " a table without its schema (17 and later).",
        "Correct the manifest's query, or the function as described in `errors`.",
    ),
    "42703": FailureReason("A column of the query does not exist.", _CORRECT),
    "42883": FailureReason(
        "As `undefined_table`, for a function or operator.",
        "Install what is missing (an extension?), or add its schema.",
    ),
    "42725": FailureReason("Several functions or operators match.", "Add casts to the query."),
    "42704": FailureReason(
        "A type, role or setting of the query does not exist.",
        "Install what is missing (an extension?).",
    ),
    "3F000": FailureReason(
        "The view's schema does not exist. Refreshes create views, not schemas.",
        "Let the database's owner run `CREATE SCHEMA`.",
    ),
    "42601": FailureReason(
        "The manifest's query is not valid SQL, or is more than one statement.",
        "Correct it, then run `manage.py refresh_table SCHEMA.TABLE`.",
    ),
    "42809": FailureReason(
        "The name belongs to a plain view, an index, a sequence or the like.",
        "Rename that, or the manifest's `table_name`.",
    ),
    "0A000": FailureReason(
        "The name belongs to a table. Or the view was never filled and may only be refreshed concurrently"
        " (`CONCURRENT_FALLBACK=false`).",
        "Rename the table; or fill the view once: `REFRESH MATERIALIZED VIEW SCHEMA.TABLE`.",
    ),
    "55000": FailureReason(
        "It reads a materialized view that was never filled. Or it has no unique index for a concurrent refresh"
        " (`CONCURRENT_FALLBACK=false`).",
        "Refresh the view that it reads; or create a unique index on plain columns, without `WHERE`.",
    ),
    "42P07": FailureReason("Another session created the view at the same moment.", _AGAIN),
    "21000": FailureReason(
        "The query returns duplicate rows, which `CONCURRENTLY` cannot handle. Or a subquery returned several rows.",
        "Change the query. Find duplicates with `GROUP BY … HAVING count(*) > 1`.",
    ),
    "23505": FailureReason(
        "The query returns a value twice that a unique index of the view requires once.",
        "Change the query, or a wrong index. `manage.py doctor` names unfinished indexes.",
    ),
    "22012": FailureReason("The query divides by zero.", "Use `nullif(divisor, 0)`."),
    "22P02": FailureReason(
        "A text is not a valid number, date or other value. `errors` quotes it.",
        "Correct the data or the cast.",
    ),
    "22003": FailureReason("A number is too large for its type.", "Cast to `bigint` or `numeric`."),
    "22008": FailureReason("A date does not exist.", "Correct the data or the cast."),
}
