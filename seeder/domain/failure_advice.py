"""What to do next about a failure, by its SQLSTATE; PostgreSQL's own words stand before it."""

from seeder.domain.view_names import ViewName

_ADVICE_BY_SQLSTATE = {
    "57014": "Somebody cancelled it, or it took longer than SEEDER_STATEMENT_TIMEOUT_MS allows.",
    "53100": "The view is as it was. Make room on the server: a refresh needs as much as the view takes, once more.",
    "53400": "The view is as it was. Raise temp_file_limit for our role, or make its query need less.",
    "42501": (
        "Whoever owns {view} can GRANT MAINTAIN on it to our role (PostgreSQL 17 and later; before, make our role a"
        " member of the owner). Where a source is named, it is the view's owner who lacks SELECT on that."
    ),
    "21000": "Its query gives rows twice that a unique index wants once: change the query or the index.",
    "23505": "Its query gives rows twice that a unique index wants once: change the query or the index.",
}

_SEARCH_PATH_ADVICE = (
    "PostgreSQL 17 and later refresh with search_path = pg_catalog, pg_temp. A function in the view that names"
    " something without its schema needs ALTER FUNCTION … SET search_path, or a BEGIN ATOMIC body."
)
_UNDEFINED_NAME_SQLSTATES = {"42P01", "42883"}  # table, function


def advice_for(sqlstate: str, view: ViewName, *, relation_exists: bool) -> str | None:
    """A sentence or two for the operator; None where PostgreSQL's own words are enough. `exists` says whether a
    relation of that name does."""
    if relation_exists and sqlstate in _UNDEFINED_NAME_SQLSTATES:
        return _SEARCH_PATH_ADVICE
    advice_text = _ADVICE_BY_SQLSTATE.get(sqlstate)
    return advice_text and advice_text.format(view=view)
