"""Invalid indexes, which an interrupted build leaves behind."""

from collections.abc import Iterator

from seeder.postgres import contract
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, warning_problem

INDEX_INVALID = warning_problem(
    name="index_invalid",
    area="views",
    meaning="Building an index CONCURRENTLY did not finish, so it is not used. Each plain refresh rebuilds it, and"
    " fails with `unique_violation` if it is unique and the rows are not.",
    fix="The view's owner can rebuild it. If that finds duplicates, drop it instead, also a leftover …_ccnew.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    oids, tables = [relation.oid for relation in database.relations.values()], [*contract.tables_in_sql()]
    rows = database.read("invalid_indexes", oids=oids, schema=contract.SCHEMA, tables=tables)
    for relation, index, is_leftover in rows:
        yield INDEX_INVALID.found(
            relation,
            message=f"Its index {index} is {'left over from REINDEX CONCURRENTLY' if is_leftover else 'not complete'}.",
            fix="The owner of the view can drop it." if is_leftover else "",
            sql=f"{'DROP' if is_leftover else 'REINDEX'} INDEX CONCURRENTLY {index};",
        )
