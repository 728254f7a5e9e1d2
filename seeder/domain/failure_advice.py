"""Advice that follows PostgreSQL's message in the `errors` of a row."""

from collections.abc import Mapping

# By SQLSTATE, the cause and the next step, if PostgreSQL's message is not enough. docs/reference/reasons.md has the
# others.
EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "57014": (
        (
            "It took longer than `STATEMENT_TIMEOUT_MS`, or it was cancelled. `statement_timeout` of the role or the"
            " server does not apply to refreshes."
        ),
        "Compare with its usual duration (`manage.py refresh_status --json`). Raise the limit, or tune the query.",
    ),
    "53100": (
        "The server's disk is full. The view is unchanged.",
        "First free disk space: a refresh needs the size of the view a second time.",
    ),
    "53200": (
        "The server had no memory left, or its lock table is full (out of shared memory). The view is unchanged.",
        "If the lock table is full, raise `max_locks_per_transaction` and restart. Otherwise lower `MAX_WORKERS`.",
    ),
    "53400": (
        "The query needs more temporary files than `temp_file_limit` allows. The view is unchanged.",
        "Raise the limit for seeder's role, or make the query need less.",
    ),
    "21000": (
        "The query returns duplicate rows, which `CONCURRENTLY` cannot handle. Or a subquery returned several rows.",
        "Change the query. Find duplicates with `GROUP BY ... HAVING count(*) > 1`.",
    ),
    "23505": (
        "The query returns a value twice that a unique index of the view requires once.",
        "Change the query, or a wrong index. `manage.py doctor` names unfinished indexes.",
    ),
}

# The message of a foreign server or a function reads as if seeder's own connection were lost.
OTHER_SERVER_ADVICE = (
    "Seeder's own session still answers: a foreign server or a function in the query reported this. Check that server"
    " and its user mapping."
)


def advice_for(sqlstate: str) -> str | None:
    """Return the next step for an SQLSTATE with one cause, or None."""
    return " ".join(EXPLANATIONS.get(sqlstate, ())).replace("`", "") or None
