"""Views that cannot be refreshed, or not concurrently."""

from collections.abc import Iterator

from seeder.postgres.doctor_queries import FoundRelation
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem

NOT_MATERIALIZED_VIEW = error_problem(
    name="not_materialized_view",
    area="views",
    meaning="A table, a plain view or another object has the name of a manifest's view.",
    fix="Rename it, or correct the manifest.",
)
VIEW_FORBIDDEN = error_problem(
    name="view_forbidden",
    area="permissions",
    meaning="Seeder's role lacks MAINTAIN on a view (PostgreSQL 17 and later) or membership in its owner (before).",
    fix="The owner or a superuser can grant it. Before 17, give a superuser's view to seeder's role instead.",
)
VIEW_NOT_POPULATED = warning_problem(
    name="view_not_populated",
    area="views",
    meaning="A view was created or restored WITH NO DATA. Reading it fails.",
    fix="The next run fills it. To fill it now, use `manage.py refresh_table` or the statement.",
)
CONCURRENT_REFUSED = error_problem(
    name="concurrent_refused",
    area="views",
    meaning="The view has no unique index on plain columns without WHERE, and `SEEDER_CONCURRENT_FALLBACK` is false.",
    fix="If some columns identify every row and are never null, create one on them. Seeder never guesses a key.",
)
CONCURRENT_FALLS_BACK = warning_problem(
    name="concurrent_falls_back",
    area="views",
    meaning="The view has no unique index on plain columns without WHERE. It is refreshed plainly: readers wait.",
    fix=CONCURRENT_REFUSED.fix,
)
CONCURRENT_UNREADY = info_problem(
    name="concurrent_unready",
    area="views",
    meaning="The view could not be refreshed concurrently: it has no unique index on plain columns without WHERE.",
    fix="Nothing. For concurrent refreshes, create one on columns that identify every row and are never null.",
)
TEMP_FORBIDDEN = error_problem(
    name="temp_forbidden",
    area="permissions",
    meaning="The view's owner may not create temporary tables, which a concurrent refresh needs. There is no fallback.",
    fix="The owner of the database can grant it.",
)
SOURCE_FORBIDDEN = error_problem(
    name="source_forbidden",
    area="permissions",
    meaning="A view is filled as its owner, which may not read a source, directly or through plain views.",
    fix="The owner of the source can grant it.",
)

_FIRST_MAINTAIN_MAJOR = 17  # the first major version with the MAINTAIN privilege
_RELKIND_NAMES = {
    "r": "a table",
    "p": "a partitioned table",
    "v": "a plain view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    settings = database.settings
    for relation in database.relations.values():
        view = str(relation.view)
        if relation.relkind != "m":
            message = f"It is {_RELKIND_NAMES.get(relation.relkind, 'another kind of relation')}."
            yield NOT_MATERIALIZED_VIEW.found(view, message=message)
            continue
        if not relation.can_refresh:
            yield _diagnose_forbidden(relation, database)
        if not relation.is_populated:
            yield VIEW_NOT_POPULATED.found(view, sql=f"REFRESH MATERIALIZED VIEW {relation.quoted_name};")
        if relation.has_unique_index:
            if settings.refresh_concurrently and not relation.owner_can_create_temp:
                sql = f"GRANT TEMPORARY ON DATABASE {database.server.database} TO {relation.owner};"
                yield TEMP_FORBIDDEN.found(view, message=f"Its owner is {relation.owner}.", sql=sql)
        elif not settings.refresh_concurrently:
            yield CONCURRENT_UNREADY.found(view)
        else:
            problem = CONCURRENT_FALLS_BACK if settings.concurrent_fallback else CONCURRENT_REFUSED
            yield problem.found(view)
    views = {relation.oid: str(relation.view) for relation in database.relations.values()}
    for oid, role, source, privilege in database.read("unreadable_sources", oids=[*views]):
        message, sql = f"It reads {source} as {role}.", f"GRANT {privilege} ON {source} TO {role};"
        yield SOURCE_FORBIDDEN.found(views[oid], message=message, sql=sql)


def _diagnose_forbidden(relation: FoundRelation, database: CheckedDatabase) -> Diagnosis:
    role = database.server.role
    if database.server.major >= _FIRST_MAINTAIN_MAJOR:
        fix = f"{relation.owner} or a superuser can grant it."
        sql = f"GRANT MAINTAIN ON {relation.quoted_name} TO {role};"
    elif relation.owner_is_superuser:  # membership in a superuser role would be too much
        fix = (
            "Give it to seeder's role, or to a role that has it as a member. The new owner needs SELECT on its sources."
        )
        sql = f"ALTER MATERIALIZED VIEW {relation.quoted_name} OWNER TO {role};"
    else:
        fix = f"A role that may GRANT {relation.owner} can grant it. {role} then also reads and changes what it may."
        sql = f"GRANT {relation.owner} TO {role};"
    message = f"It belongs to {relation.owner}, and seeder's role is {role}."
    return VIEW_FORBIDDEN.found(str(relation.view), message=message, fix=fix, sql=sql)
