"""Advice that follows PostgreSQL's message in the `errors` of a row."""

from seeder.domain.failure_reasons import CONDITIONS
from seeder.domain.view_names import ViewName

# Query canceled, disk full, temp_file_limit exceeded, duplicate rows, unique violation: the message is not enough.
_EXPLAINED = {"57014", "53100", "53400", "21000", "23505"}
_INSUFFICIENT_PRIVILEGE = "42501"
_PRIVILEGE_ADVICE = (
    "The owner of {view} can GRANT MAINTAIN on it to seeder's role (PostgreSQL 17 and later; before, make the role a"
    " member of the owner). If the message names a source, the view's owner lacks SELECT on it."
)

_SEARCH_PATH_ADVICE = (
    "PostgreSQL 17 and later refresh with search_path = pg_catalog, pg_temp. A function in the view that uses a name"
    " without its schema needs ALTER FUNCTION … SET search_path, or a BEGIN ATOMIC body."
)
_UNDEFINED_NAME_SQLSTATES = {"42P01", "42883"}  # table, function


def advice_for(sqlstate: str, view: ViewName, *, relation_exists: bool) -> str | None:
    """Return the next step for the operator, or None if PostgreSQL's message is enough."""
    if relation_exists and sqlstate in _UNDEFINED_NAME_SQLSTATES:
        return _SEARCH_PATH_ADVICE
    if sqlstate == _INSUFFICIENT_PRIVILEGE:
        return _PRIVILEGE_ADVICE.format(view=view)
    return " ".join(CONDITIONS[sqlstate]).replace("`", "") if sqlstate in _EXPLAINED else None
