"""Advice that follows PostgreSQL's message in the `errors` of a row."""

from collections.abc import Mapping

from seeder.domain.view_names import ViewName

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
    "53400": (
        "The query needs more temporary files than `temp_file_limit` allows. The view is unchanged.",
        "Raise the limit for seeder's role, or make the query need less.",
    ),
    "21000": (
        "The query returns duplicate rows, which `CONCURRENTLY` cannot handle. Or a subquery returned several rows.",
        "Change the query. Find duplicates with `GROUP BY … HAVING count(*) > 1`.",
    ),
    "23505": (
        "The query returns a value twice that a unique index of the view requires once.",
        "Change the query, or a wrong index. `manage.py doctor` names unfinished indexes.",
    ),
}
_INSUFFICIENT_PRIVILEGE = "42501"
_PRIVILEGE_ADVICE = (
    "The owner of {view} can GRANT MAINTAIN on it to seeder's role (PostgreSQL 17 and later; before, make the role a"
    " member of the owner). If the message names a source, the view's owner lacks SELECT on it."
)
_UNDEFINED_NAME_SQLSTATES = {"42P01", "42883"}  # table, function
_SEARCH_PATH_ADVICE = (
    "PostgreSQL 17 and later refresh with search_path = pg_catalog, pg_temp. A function in the view that uses a name"
    " without its schema needs ALTER FUNCTION … SET search_path, or a BEGIN ATOMIC body."
)


def advice_for(sqlstate: str, view: ViewName, *, relation_exists: bool) -> str | None:
    """Return the next step, or None if PostgreSQL's message is enough."""
    if relation_exists and sqlstate in _UNDEFINED_NAME_SQLSTATES:
        return _SEARCH_PATH_ADVICE
    if sqlstate == _INSUFFICIENT_PRIVILEGE:
        return _PRIVILEGE_ADVICE.format(view=view)
    return " ".join(EXPLANATIONS.get(sqlstate, ())).replace("`", "") or None
