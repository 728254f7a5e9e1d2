"""Causes of failures, with the next step for each."""

from collections.abc import Mapping
from typing import NamedTuple

from seeder.domain.failure_advice import EXPLANATIONS


class ReasonText(NamedTuple):
    """One reason. `postgres.sqlstates` decides if it is retried and if it blames the server."""

    cause: str
    advice: str


_OTHER_SERVER = "If `errors` says that seeder's session still answers, check the foreign server of the query."
AS_LOST = f"{_OTHER_SERVER} Otherwise as for `lost_connection`."
_AGAIN = "Refresh again."
_CORRECT = "Correct the manifest's query."

OWN_REASONS: Mapping[str, ReasonText] = {
    "bad_name": ReasonText(
        "The manifest's `table_name` is not a view's name. The manifest is left out.",
        "Correct `table_name`. Quote parts with capitals or blanks; a part has at most 63 bytes.",
    ),
    "database_unmapped": ReasonText(
        'The manifest\'s `database_id` is not in `SEEDER["DATABASES"]`. The manifest is left out.',
        "Add the id there, or correct the manifest.",
    ),
    "report_missing": ReasonText(
        "An agency subscribes to a canned report that does not exist. The subscription is left out.",
        "Restore the report, or delete the row of `seeder_canned_report_manifest`.",
    ),
    "server_busy": ReasonText(
        "The throttle held all starts for `MAX_WAIT_SECONDS`. Remaining views were given up.",
        "Find the active sessions; refresh when the server is idle. If it repeats, raise `MAX_DB_ACTIVE_QUERIES` or"
        " start earlier.",
    ),
    "circuit_open": ReasonText(
        "The circuit breaker was open for `MAX_WAIT_SECONDS` and no trial succeeded. Remaining views were given up.",
        "The failures before it have the cause. Then close the breaker or wait for a trial, and refresh again.",
    ),
    "held": ReasonText(
        "The new rows failed a data check of severity `error`, or such a check could not run. They were rolled back, so"
        " readers keep the old rows. `errors` has figures, bounds and bad rows. The circuit breaker does not count it,"
        " and nothing is retried.",
        "Correct the data and refresh again, or [publish anyway](../how-to/data-checks.md#publish-anyway).",
    ),
    "held_dependency": ReasonText(
        "The view reads a view that data checks held in this run. It was not started, because `HOLD_DEPENDENTS` is"
        " true or both are in one consistent group with `publish_without_held`.",
        "As for `held`, for the view that `errors` names. Then refresh this one.",
    ),
    "held_group": ReasonText(
        "Data checks held another view of the same consistent group. Nothing of the group was published.",
        "As for `held`, for the view that `errors` names.",
    ),
    "group_time_limit": ReasonText(
        "One attempt to refresh the consistent group exceeded its `max_seconds`. Nothing of the group was published.",
        "`errors` has the duration of each member. Make the longest one faster, take it out of the group, or raise the"
        " limit.",
    ),
    "group_failed": ReasonText(
        "Another view of the same consistent group failed. Nothing of the group was published.",
        "As for the reason of the view that `errors` names.",
    ),
    "group_refused": ReasonText(
        "The consistent group cannot be refreshed in one transaction. `errors` and a dry run list the causes.",
        "Do what `errors` says for each cause. [More](../how-to/consistent-groups.md#what-a-group-requires).",
    ),
    "group_lost_race": ReasonText(
        "In every attempt, another session refreshed or altered a view of the consistent group, or dropped a table that"
        " it reads. Nothing of the group was published.",
        "Find the program that refreshes these views without seeder, and stop it. Refresh again.",
    ),
    "lost_connection": ReasonText(
        "On every attempt the server was down, refused the connection or closed it.",
        "Check the server with `manage.py dbshell`. Its log has the cause: a crash, out of memory, `max_connections`, a"
        " changed login.",
    ),
}

# By SQLSTATE. A test requires every SQLSTATE by which the code decides.
CONDITIONS: Mapping[str, ReasonText] = {
    "55P03": ReasonText(
        "Another session held a lock on the view longer than `LOCK_TIMEOUT_MS`, on all attempts. `errors` names it.",
        "Wait for that session or end it, and refresh again. If the same report repeats it, use `REFRESH_CONCURRENTLY`,"
        " another hour, or a longer `LOCK_TIMEOUT_MS`.",
    ),
    "40P01": ReasonText(
        "The refresh and another transaction waited for each other.",
        "Refresh again. The server's log names the other statement.",
    ),
    "40001": ReasonText("It conflicted with a concurrent transaction.", _AGAIN),
    "25P03": ReasonText(
        "The client stalled during a refresh.",
        "Check if its machine is overloaded or suspended. Refresh again.",
    ),
    "57P05": ReasonText(
        "The server ends idle sessions, also seeder's.",
        "Run `ALTER ROLE … SET idle_session_timeout = 0` for its role.",
    ),
    "25P04": ReasonText(
        "The server's `transaction_timeout` (17 and later) is shorter than the refresh.",
        "Run `ALTER ROLE … SET transaction_timeout = 0` for its role, and use `STATEMENT_TIMEOUT_MS` instead.",
    ),
    "57014": ReasonText(*EXPLANATIONS["57014"]),
    "08000": ReasonText("The connection broke.", AS_LOST),
    "08001": ReasonText("A foreign server that the query uses is down.", "Check that server and its user mapping."),
    "08006": ReasonText("The connection broke.", AS_LOST),
    "08P01": ReasonText(
        "Usually a proxy before the server is full or does not support the protocol.",
        "Connect to PostgreSQL directly, or enlarge the proxy's pool.",
    ),
    "57P01": ReasonText(
        "The server was shut down, or the session was terminated.",
        f"{_OTHER_SERVER} Otherwise refresh again when the server is back.",
    ),
    "57P02": ReasonText(
        "Another session crashed, and the server restarted.",
        f"{_OTHER_SERVER} Otherwise refresh again; the server's log names that session.",
    ),
    "57P03": ReasonText(
        "The server is starting, stopping or recovering.",
        f"{_OTHER_SERVER} Otherwise wait until `manage.py dbshell` answers, and refresh again.",
    ),
    "57P04": ReasonText("The database was dropped.", "Find out by which session. Restore it."),
    "53300": ReasonText(
        "No connection was free.",
        f"{_OTHER_SERVER} Otherwise lower `MAX_WORKERS`, or raise `max_connections`.",
    ),
    "53100": ReasonText(*EXPLANATIONS["53100"]),
    "53200": ReasonText(*EXPLANATIONS["53200"]),
    "53000": ReasonText("The server is short of a resource. `errors` names it.", "Ask the server's owner."),
    "53400": ReasonText(*EXPLANATIONS["53400"]),
    "54000": ReasonText(
        "A limit of PostgreSQL was exceeded: the number of columns, or the length of a row or value.",
        "Change the query.",
    ),
    "58030": ReasonText(
        "The server could not read or write a file.",
        "Tell the server's owner at once: a disk may be failing.",
    ),
    "XX000": ReasonText(
        "A fault in PostgreSQL or an extension.",
        "Read the server's log. Install the latest minor version.",
    ),
    "XX001": ReasonText(
        "A table that the view reads is damaged.",
        "Tell the server's owner at once. Do not drop anything.",
    ),
    "XX002": ReasonText(
        "An index that the view reads is damaged.",
        "Ask the server's owner to `REINDEX` it and to find the cause.",
    ),
    "25006": ReasonText(
        "The server is a standby or read-only, or the view's query writes.",
        "Check `SELECT pg_is_in_recovery()`. `DATABASES` must name the primary.",
    ),
    "25P02": ReasonText(
        "An earlier statement of the transaction had failed.",
        "The server's log has its error, directly before.",
    ),
    "42501": ReasonText(
        "Seeder's role may not refresh the view, its owner may not read a source, or a function of the view or an event"
        " trigger is refused. `errors` names it.",
        "Do what `errors` says, such as a `GRANT`.",
    ),
    "42P01": ReasonText(
        "The view was dropped meanwhile, or its query names a missing table. If the view exists, a function in it names"
        " a table without its schema (17 and later).",
        "Correct the manifest's query, or the function as described in `errors`.",
    ),
    "42703": ReasonText("A column of the query does not exist.", _CORRECT),
    "42883": ReasonText(
        "As `undefined_table`, for a function or operator.",
        "Install what is missing (an extension?), or add its schema.",
    ),
    "42725": ReasonText("Several functions or operators match.", "Add casts to the query."),
    "42704": ReasonText(
        "A type, role or setting of the query does not exist. If the view exists, a function in it names it.",
        "Install what is missing (an extension?), or correct the function as described in `errors`.",
    ),
    "3F000": ReasonText(
        "The view's schema does not exist. Refreshes create views, not schemas.",
        "Let the database's owner run `CREATE SCHEMA`.",
    ),
    "42601": ReasonText(
        "The manifest's query is not valid SQL, or is more than one statement.",
        "Correct it, then run `manage.py refresh_table SCHEMA.TABLE`.",
    ),
    "42809": ReasonText(
        "The name belongs to a plain view, an index, a sequence or the like.",
        "Rename that, or the manifest's `table_name`.",
    ),
    "0A000": ReasonText(
        "The name belongs to a table. Or the view was never filled and may only be refreshed concurrently"
        " (`CONCURRENT_FALLBACK=false`).",
        "Rename the table; or fill the view once: `REFRESH MATERIALIZED VIEW SCHEMA.TABLE`.",
    ),
    "55000": ReasonText(
        "It reads a materialized view that was never filled. Or it has no unique index for a concurrent refresh"
        " (`CONCURRENT_FALLBACK=false`).",
        "Refresh the view that it reads; or create a unique index on plain columns, without `WHERE`.",
    ),
    "42P07": ReasonText("Another session created the view at the same moment.", _AGAIN),
    "21000": ReasonText(*EXPLANATIONS["21000"]),
    "23505": ReasonText(*EXPLANATIONS["23505"]),
    "22012": ReasonText("The query divides by zero.", "Use `nullif(divisor, 0)`."),
    "22P02": ReasonText(
        "A text is not a valid number, date or other value. `errors` quotes it.",
        "Correct the data or the cast.",
    ),
    "22003": ReasonText("A number is too large for its type.", "Cast to `bigint` or `numeric`."),
    "22008": ReasonText("A date does not exist.", "Correct the data or the cast."),
}
