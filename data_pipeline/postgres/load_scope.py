"""Finds the tables that feed views."""

from collections.abc import Collection

from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists


def tables_behind_views(database: str, views: Collection[ViewName]) -> frozenset[str]:
    """Return the tables that feed views, directly or through other views.

    A given table is returned, too.
    """
    rows = sessions.query(database, STATEMENTS["tables_behind_views"], name_lists(views)) if views else []
    return frozenset(str(ViewName(schema=schema, name=name)) for schema, name in rows)
