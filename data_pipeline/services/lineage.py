"""Finds the views that depend on the table of a load."""

from collections.abc import Collection

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.lineage import Lineage, layers_of
from seeder.domain.view_names import ViewName
from seeder.errors import BadName

_MAX_VIEWS = 200


def find_lineage(
    table: str | None, *, visible: Collection[str] | None = None, database: str = DEFAULT_DB_ALIAS
) -> Lineage | None:
    """Return what depends on a table.

    None if the table is unknown or `seeder` is not installed. `visible` are the names of the views that the user may
    see, None for all. Raises `ConfigurationError` or `DatabaseError`.
    """
    if table is None or not apps.is_installed("seeder"):
        return None
    # Without the app `seeder`, this import fails.
    from seeder.services.queue.dependent_refreshes import find_dependent_views

    try:
        name = ViewName.parse(table)
    except BadName:  # a caller of `process_once` can write any text
        return None
    found = find_dependent_views([name], database=database)
    shown = [view.name for view in found.views if visible is None or str(view.name) in visible][:_MAX_VIEWS]
    shown_names = {*shown}
    reads = {str(view): {*map(str, found.reads[view] & shown_names)} or {str(name)} for view in shown}
    undetermined = [str(view.name) for view in found.undetermined if visible is None or str(view.name) in visible]
    return Lineage(
        table=str(name),
        layers=layers_of(reads),
        reads=reads,
        undetermined=undetermined,
        hidden=len(found.views) - len(shown),
    )
