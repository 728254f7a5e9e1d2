"""Finds as of when a refresh is. `history_rows` records it.

The claim is exact: all that was visible then is in the view. So it takes the time before the snapshot of the refresh,
and reads the views behind it twice: if one of them changed in between, it is unknown which state the refresh has read.
Commit timestamps would not do, because a commit has its timestamp before others see it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.freshness.data_age import DataAge, RefreshedData, UnknownAge, ViewVersion, data_age
from seeder.domain.plan import PlannedView, ViewInputs
from seeder.domain.view_names import ViewName
from seeder.postgres import view_state_queries
from seeder.postgres.contract import OptionalTables


class DataAsOf:
    """Finds as of when the refreshes of a run are. Without the table it does nothing."""

    def __init__(self, tables: OptionalTables) -> None:
        self._is_recorded = tables.is_usable(view_state_queries.TABLE)

    def before_refresh(self, view: PlannedView, inputs: ViewInputs, locked_at: datetime) -> RefreshedData | None:
        """Return as of when a refresh is that starts now.

        It runs in its transaction, after the locks. `locked_at` is by the history's clock.
        """
        if not self._is_recorded:
            return None
        declaration, database = view.spec.declaration, view.key.database
        declared = declaration.views - {view.key.name} if declaration else frozenset()
        versions: Mapping[ViewName, ViewVersion] = {}
        if inputs.materialized or declared:
            versions = view_state_queries.view_versions(database, oids=inputs.materialized, names=declared)
        ages = view_state_queries.data_ages(database, versions)
        hides_inputs = inputs.calls_opaque_functions and declaration is None
        age = data_age(locked_at, ages.values(), hides_inputs=hides_inputs)
        return RefreshedData(age=age, read=tuple(versions.values()))

    def after_refresh(self, view: PlannedView, data: RefreshedData | None) -> RefreshedData | None:
        """Return the same with the view's version, if its row is written in another database.

        In the default database, the statement that writes the row looks at the versions itself.
        """
        database, name = view.key.database, view.key.name
        if data is None or database == DEFAULT_DB_ALIAS:
            return data
        versions = view_state_queries.view_versions(database, oids=[one.oid for one in data.read], names=[name])
        version = versions.get(name)
        if version is None:
            return None  # it is no materialized view
        is_unchanged = set(data.read) <= set(versions.values())
        age = data.age if is_unchanged or data.age.unknown else DataAge(as_of=None, unknown=UnknownAge.UPSTREAM_CHANGED)
        return replace(data, age=age, version=version)
