"""VACUUM of one view, outside a transaction."""

from psycopg import sql
from psycopg.errors import Diagnostic

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, view_statements

# It never waits for the view, and blocks no reader: truncating the file would need an exclusive lock.
_VACUUM = "VACUUM (SKIP_LOCKED, TRUNCATE false, PARALLEL 0) {}"


def vacuum(database: str, view: ViewName) -> str | None:
    """Remove the dead rows of a view. Return None, or PostgreSQL's warning if it skipped the view.

    It skips a view that another session has locked, such as an autovacuum of it.
    """
    warnings: list[str] = []

    def keep_warning(notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "")

    connection = sessions.driver_connection(database)
    connection.add_notice_handler(keep_warning)
    try:
        sessions.query(database, sql.SQL(_VACUUM).format(view_statements.view_identifier(view)))
    finally:
        connection.remove_notice_handler(keep_warning)
    return warnings[0] if warnings else None
