"""As of when the data of views are, as their last refreshes recorded it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial

from django.db import Error

from seeder.domain.freshness.data_age import DataAge
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.postgres import transactions, view_state_queries
from seeder.postgres.contract import OptionalTables


def data_ages(views: Iterable[ViewKey], tables: OptionalTables) -> Mapping[ViewKey, DataAge]:
    """Return as of when views are. Takes two queries for each database.

    Views that do not exist are left out, and those of a database that does not answer. None without the table.
    """
    if not tables.is_usable(view_state_queries.TABLE):
        return {}
    names = defaultdict[str, list[ViewName]](list)
    for key in views:
        names[key.database].append(key.name)
    found: dict[ViewKey, DataAge] = {}
    for database, wanted in names.items():
        versions = transactions.attempt(database, partial(view_state_queries.view_versions, database, names=wanted))
        if not isinstance(versions, Error):
            ages = view_state_queries.data_ages(database, versions)
            found |= {ViewKey(database=database, name=name): age for name, age in ages.items()}
    return found
