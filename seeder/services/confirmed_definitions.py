"""The queries that views were created from. A run compares only others with the catalog."""

from collections.abc import Set

from django.db import DEFAULT_DB_ALIAS

from seeder.models import ViewDefinition
from seeder.postgres.catalog import DefinitionKey
from seeder.postgres.contract import OptionalTables

_TABLE = "seeder_view_definition"


def load_definitions(database: str, tables: OptionalTables | None = None) -> Set[DefinitionKey]:
    """Return confirmed definitions, or none if the optional table is unusable."""
    tables = tables or OptionalTables.read(DEFAULT_DB_ALIAS)
    if not tables.is_usable(_TABLE):
        return frozenset()
    rows = ViewDefinition.objects.filter(database_alias=database).values_list("view_oid", "query_md5")
    return {DefinitionKey(oid=oid, query_md5=md5) for oid, md5 in rows}


def save_definitions(database: str, definitions: Set[DefinitionKey], tables: OptionalTables) -> None:
    """Add confirmed definitions, unless the optional table is unusable."""
    if definitions and tables.is_usable(_TABLE):
        ViewDefinition.objects.bulk_create(
            [
                ViewDefinition(database_alias=database, view_oid=one.oid, query_md5=one.query_md5)
                for one in sorted(definitions)
            ],
            ignore_conflicts=True,
        )
