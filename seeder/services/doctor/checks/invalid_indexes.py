"""Invalid indexes, which an interrupted build leaves behind."""

from collections.abc import Iterator

from seeder.postgres import contract
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, warning_problem
from seeder.texts import Text

INDEX_INVALID = warning_problem(
    name="index_invalid",
    area="views",
    meaning=Text(
        "Building an index CONCURRENTLY did not finish, so it is not used. Each plain refresh rebuilds it, and"
        " fails with `unique_violation` if it is unique and the rows are not."
    ),
    fix=Text("The view's owner can rebuild it. If that finds duplicates, drop it instead, also a leftover …_ccnew."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    oids, tables = [relation.oid for relation in database.relations.values()], [*contract.tables_in_sql()]
    rows = database.read("invalid_indexes", oids=oids, schema=contract.SCHEMA, tables=tables)
    for relation, index, is_leftover in rows:
        message, fix, verb = Text("Its index {index} is not complete.", index=index), "", "REINDEX"
        if is_leftover:
            message = Text("Its index {index} is left over from REINDEX CONCURRENTLY.", index=index)
            fix, verb = Text("The owner of the view can drop it."), "DROP"
        yield INDEX_INVALID.found(relation, message=message, fix=fix, sql=f"{verb} INDEX CONCURRENTLY {index};")
