"""Remembers which queries views are known to be created from, so that they need not be compared before every run."""

from collections.abc import Set

from django.db import DEFAULT_DB_ALIAS

from seeder.models import ViewDefinition
from seeder.postgres import contract
from seeder.postgres.catalog import DefinitionKey

_TABLE = "seeder_view_definition"


def load_definitions(database: str) -> Set[DefinitionKey]:
    """Those of a database; none where there is no table for them."""
    if contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE) is not None:
        return frozenset()
    rows = ViewDefinition.objects.filter(database_alias=database).values_list("view_oid", "query_md5")
    return {DefinitionKey(oid=oid, query_md5=md5) for oid, md5 in rows}


def save_definitions(database: str, definitions: Set[DefinitionKey]) -> None:
    """Add what was found out, where there is a table for it."""
    if definitions and contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE) is None:
        ViewDefinition.objects.bulk_create(
            [
                ViewDefinition(database_alias=database, view_oid=one.oid, query_md5=one.query_md5)
                for one in sorted(definitions)
            ],
            ignore_conflicts=True,
        )
