"""Draws up a plan: the rule with what the catalog and the history know."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.names import ViewName
from seeder.domain.plan import RefreshPlan, draw_up
from seeder.errors import DatabaseError
from seeder.postgres import catalog
from seeder.postgres.sqlstates import foreseen
from seeder.services import history


def plan(selection: Selection) -> RefreshPlan:
    """The plan for a selection. Looks at every database that it touches and changes none."""
    queries: Mapping[str, dict[ViewName, str]] = defaultdict(dict)
    for spec in selection.views:
        queries[spec.key.database][spec.key.name] = spec.query
    existing: set[ViewKey] = set()
    reads: dict[ViewKey, set[ViewKey]] = {}
    for database, views in queries.items():
        # Where a database cannot be asked, each of its views will say so itself, while the others go on.
        with suppress(DatabaseError), foreseen(database):
            seen = catalog.survey(database, views)
            existing |= {ViewKey(database=database, name=name) for name in seen.existing}
            reads |= {
                ViewKey(database=database, name=reader): {ViewKey(database=database, name=name) for name in names}
                for reader, names in seen.reads.items()
            }
    with foreseen(DEFAULT_DB_ALIAS):
        expected = history.usual_durations(selection.views)
    return draw_up(selection, existing=existing, reads=reads, expected=expected)
