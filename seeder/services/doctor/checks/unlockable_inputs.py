"""Tables that a refresh reads but cannot lock before it takes its snapshot."""

from collections import defaultdict
from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName
from seeder.postgres.catalog import name_lists
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem

INPUT_UNLOCKABLE = info_problem(
    name="input_unlockable",
    area="views",
    meaning="A refresh cannot lock this table before it takes its snapshot. If it waits for a TRUNCATE or a rewriting"
    " ALTER TABLE of the table, the view can be published without the table's rows. The same holds for tables that a"
    " function with a text body reads, which PostgreSQL does not know.",
    fix="The owner of the table can grant SELECT to seeder's role. Nothing locks the remote table of a foreign table:"
    " reload that with DELETE.",
)

_MAX_SHOWN_VIEWS = 3


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    readers: dict[int, set[str]] = defaultdict(set)
    for schema, name, *_, relation, _, _, _, _ in database.read(
        "dependencies", **name_lists(database.relations), kinds=["m"]
    ):
        if relation is not None:
            readers[relation].add(str(ViewName(schema=schema, name=name)))
    for relation, table, is_foreign, role in database.read("unlockable_relations", oids=[*readers]):
        shown, hidden_count = sorted(readers[relation])[:_MAX_SHOWN_VIEWS], len(readers[relation]) - _MAX_SHOWN_VIEWS
        more = f" and {format_count(hidden_count, 'more view')}" if hidden_count > 0 else ""
        yield INPUT_UNLOCKABLE.found(
            table,
            message=f"Read by {', '.join(shown)}{more}: {'a foreign table' if is_foreign else f'{role} lacks SELECT'}.",
            sql="" if is_foreign else f"GRANT SELECT ON {table} TO {role};",
        )
