"""Tables that a refresh reads but cannot lock before it takes its snapshot."""

from collections import defaultdict
from collections.abc import Iterator

from seeder.domain.human_format import format_names
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem
from seeder.texts import Text

INPUT_UNLOCKABLE = info_problem(
    name="input_unlockable",
    area="views",
    meaning=Text(
        "A refresh cannot lock this table before it takes its snapshot. If it waits for a TRUNCATE or a rewriting ALTER"
        " TABLE of the table, the view can be published without the table's rows. The same holds for tables that a"
        " function with a text body reads, which PostgreSQL does not know."
    ),
    fix=Text(
        "The owner of the table can grant SELECT to seeder's role. Nothing locks the remote table of a foreign table:"
        " reload that with DELETE."
    ),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    readers: dict[int, set[str]] = defaultdict(set)
    for view, used_objects in database.used_objects.items():
        for one in used_objects:
            if one.relation_oid is not None:
                readers[one.relation_oid].add(str(view))
    for relation, table, is_foreign, role in database.read("unlockable_relations", oids=[*readers]):
        views = format_names(readers[relation], "view")
        message = Text("Read by {views}: {role} lacks SELECT.", views=views, role=role)
        yield INPUT_UNLOCKABLE.found(
            table,
            message=Text("Read by {views}: a foreign table.", views=views) if is_foreign else message,
            sql="" if is_foreign else f"GRANT SELECT ON {table} TO {role};",
        )
