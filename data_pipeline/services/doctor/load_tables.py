"""Checks the tables of loads: migrations, privileges and the audit."""

from collections.abc import Iterator, Mapping

from data_pipeline.postgres import doctor_facts
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem
from seeder.texts import Text

MIGRATIONS_MISSING = error_problem(
    name="migrations_missing",
    area="loads",
    meaning=Text("The tables of loads are missing or older than the app, so nothing can be loaded."),
    fix=Text("Run `manage.py migrate data_pipeline` as a role that may create tables."),
)
LOAD_TABLES_FORBIDDEN = error_problem(
    name="load_tables_forbidden",
    area="loads",
    meaning=Text("The role lacks a privilege on a table of loads, so nothing can be loaded."),
    fix=Text("The owner of the table can grant it."),
)
AUDIT_UNPROTECTED = warning_problem(
    name="audit_unprotected",
    area="loads",
    meaning=Text(
        "The trigger that refuses changes of `load_event` is missing or disabled, so the audit proves nothing."
    ),
    fix=Text("The owner of the table can enable or create it."),
)

_NEEDED: Mapping[str, str] = {
    "load_log": "SELECT INSERT UPDATE DELETE",
    "load_event": "SELECT INSERT",
    "load_reject": "SELECT INSERT UPDATE DELETE",
    "load_change": "SELECT INSERT DELETE",
    "load_dead_letter": "SELECT",
    "load_request": "SELECT INSERT UPDATE DELETE",
    "load_refresh": "SELECT INSERT UPDATE DELETE",
    "load_total": "SELECT INSERT UPDATE",
}
_ENABLE = "ALTER TABLE load_event ENABLE TRIGGER load_event_append_only;"
_CREATE = """CREATE OR REPLACE FUNCTION load_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'load_event is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER load_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON load_event
    FOR EACH STATEMENT EXECUTE FUNCTION load_event_refuse_change();"""


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if not database.is_default:
        return
    tables = doctor_facts.load_tables(database.alias, dict(_NEEDED))
    migrations = doctor_facts.unapplied_migrations(database.alias)
    absent = [table.name for table in tables if not table.is_present]
    if migrations:
        message = Text("Not applied: {migrations}.", migrations=", ".join(migrations))
        yield MIGRATIONS_MISSING.found("data_pipeline", message=message)
    elif absent:
        message = Text(
            "All migrations are applied, but tables are missing: {tables}. Restore them from a backup.",
            tables=", ".join(absent),
        )
        yield MIGRATIONS_MISSING.found("data_pipeline", message=message)
    role = database.server.role
    for table in tables:
        grants = [f"GRANT {', '.join(table.missing)} ON {table.quoted_name} TO {role};"] if table.missing else []
        if table.forbidden_sequence is not None:
            grants.append(f"GRANT USAGE ON SEQUENCE {table.forbidden_sequence} TO {role};")
        if grants:
            yield LOAD_TABLES_FORBIDDEN.found(table.quoted_name, sql="\n".join(grants))
    if "load_event" not in absent:
        is_protected = doctor_facts.is_audit_protected(database.alias)
        if is_protected is None:
            yield AUDIT_UNPROTECTED.found("load_event", message=Text("The trigger is missing."), sql=_CREATE)
        elif not is_protected:
            yield AUDIT_UNPROTECTED.found("load_event", message=Text("The trigger is disabled."), sql=_ENABLE)
