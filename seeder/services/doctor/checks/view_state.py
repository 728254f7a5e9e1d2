"""Views that cannot be refreshed, or not concurrently."""

from collections.abc import Iterator

from seeder.postgres.doctor_queries import FoundRelation
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem
from seeder.texts import Text

NOT_MATERIALIZED_VIEW = error_problem(
    name="not_materialized_view",
    area="views",
    meaning=Text("A table, a plain view or another object has the name of a manifest's view."),
    fix=Text("Rename it, or correct the manifest."),
)
VIEW_FORBIDDEN = error_problem(
    name="view_forbidden",
    area="permissions",
    meaning=Text(
        "Seeder's role lacks MAINTAIN on a view (PostgreSQL 17 and later) or membership in its owner (before)."
    ),
    fix=Text("The owner or a superuser can grant it. Before 17, give a superuser's view to seeder's role instead."),
)
VIEW_NOT_POPULATED = warning_problem(
    name="view_not_populated",
    area="views",
    meaning=Text("A view was created or restored WITH NO DATA. Reading it fails."),
    fix=Text("The next run fills it. To fill it now, use `manage.py refresh_table` or the statement."),
)
CONCURRENT_REFUSED = error_problem(
    name="concurrent_refused",
    area="views",
    meaning=Text(
        "The view has no unique index on plain columns without WHERE, and `SEEDER_CONCURRENT_FALLBACK` is false."
    ),
    fix=Text("If some columns identify every row and are never null, create one on them. Seeder never guesses a key."),
)
CONCURRENT_FALLS_BACK = warning_problem(
    name="concurrent_falls_back",
    area="views",
    meaning=Text("The view has no unique index on plain columns without WHERE. It is refreshed plainly: readers wait."),
    fix=CONCURRENT_REFUSED.fix,
)
CONCURRENT_UNREADY = info_problem(
    name="concurrent_unready",
    area="views",
    meaning=Text(
        "The view could not be refreshed concurrently: it has no unique index on plain columns without WHERE."
    ),
    fix=Text("Nothing. For concurrent refreshes, create one on columns that identify every row and are never null."),
)
TEMP_FORBIDDEN = error_problem(
    name="temp_forbidden",
    area="permissions",
    meaning=Text(
        "The view's owner may not create temporary tables, which a concurrent refresh needs. There is no fallback."
    ),
    fix=Text("The owner of the database can grant it."),
)
SOURCE_FORBIDDEN = error_problem(
    name="source_forbidden",
    area="permissions",
    meaning=Text("A view is filled as its owner, which may not read a source, directly or through plain views."),
    fix=Text("The owner of the source can grant it."),
)

_FIRST_MAINTAIN_MAJOR = 17  # the first major version with the MAINTAIN privilege
_RELKIND_TEXTS = {
    "r": Text("It is a table."),
    "p": Text("It is a partitioned table."),
    "v": Text("It is a plain view."),
    "f": Text("It is a foreign table."),
    "S": Text("It is a sequence."),
    "i": Text("It is an index."),
    "I": Text("It is an index."),
    "c": Text("It is a type."),
}


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    settings = database.settings
    for relation in database.relations.values():
        view = str(relation.view)
        if relation.relkind != "m":
            message = _RELKIND_TEXTS.get(relation.relkind, Text("It is another kind of relation."))
            yield NOT_MATERIALIZED_VIEW.found(view, message=message)
            continue
        if not relation.can_refresh:
            yield _diagnose_forbidden(relation, database)
        if not relation.is_populated:
            yield VIEW_NOT_POPULATED.found(view, sql=f"REFRESH MATERIALIZED VIEW {relation.quoted_name};")
        if relation.has_unique_index:
            if settings.refresh_concurrently and not relation.owner_can_create_temp:
                sql = f"GRANT TEMPORARY ON DATABASE {database.server.database} TO {relation.owner};"
                yield TEMP_FORBIDDEN.found(view, message=Text("Its owner is {owner}.", owner=relation.owner), sql=sql)
        elif not settings.refresh_concurrently:
            yield CONCURRENT_UNREADY.found(view)
        else:
            problem = CONCURRENT_FALLS_BACK if settings.concurrent_fallback else CONCURRENT_REFUSED
            yield problem.found(view)
    views = {relation.oid: str(relation.view) for relation in database.relations.values()}
    for oid, role, source, privilege in database.read("unreadable_sources", oids=[*views]):
        message = Text("It reads {source} as {role}.", source=source, role=role)
        sql = f"GRANT {privilege} ON {source} TO {role};"
        yield SOURCE_FORBIDDEN.found(views[oid], message=message, sql=sql)


def _diagnose_forbidden(relation: FoundRelation, database: CheckedDatabase) -> Diagnosis:
    role = database.server.role
    if database.server.major >= _FIRST_MAINTAIN_MAJOR:
        fix = Text("{owner} or a superuser can grant it.", owner=relation.owner)
        sql = f"GRANT MAINTAIN ON {relation.quoted_name} TO {role};"
    elif relation.owner_is_superuser:  # membership in a superuser role would be too much
        fix = Text(
            "Give it to seeder's role, or to a role that has it as a member. The new owner needs SELECT on its sources."
        )
        sql = f"ALTER MATERIALIZED VIEW {relation.quoted_name} OWNER TO {role};"
    else:
        fix = Text(
            "A role that may GRANT {owner} can grant it. {role} then also reads and changes what it may.",
            owner=relation.owner,
            role=role,
        )
        sql = f"GRANT {relation.owner} TO {role};"
    message = Text("It belongs to {owner}, and seeder's role is {role}.", owner=relation.owner, role=role)
    return VIEW_FORBIDDEN.found(str(relation.view), message=message, fix=fix, sql=sql)
