"""Sources that the owner of a view may not read."""

from collections.abc import Iterator

from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem

SOURCE_FORBIDDEN = error_problem(
    name="source_forbidden",
    area="permissions",
    meaning="A view is filled as its owner, which may not read a source, directly or through plain views.",
    fix="The owner of the source can grant it.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    views = {relation.oid: str(relation.view) for relation in database.relations.values()}
    for oid, role, source in database.read("unreadable_sources", oids=[*views]):
        message, sql = f"It reads {source} as {role}.", f"GRANT SELECT ON {source} TO {role};"
        yield SOURCE_FORBIDDEN.found(views[oid], message=message, sql=sql)
