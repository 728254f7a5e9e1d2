"""The checked database and the facts that all checks share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.doctor.server_rules import ServerFacts
from seeder.domain.doctor.view_rules import ConcurrencySettings, DatabaseRole
from seeder.domain.manifests import Selection, ViewKey, ViewSpec
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """One database to check."""

    alias: str
    server: ServerFacts
    settings: Settings
    selection: Selection  # all enabled manifests, also of other databases
    listed: frozenset[ViewKey]  # also by disabled manifests and canned reports without subscriptions
    on_progress: Callable[[int, int], object]  # number of compared queries, total

    @property
    def is_history_database(self) -> bool:
        return self.alias == DEFAULT_DB_ALIAS

    @property
    def role(self) -> DatabaseRole:
        return DatabaseRole(
            database_alias=self.alias,
            database_name=self.server.database,
            role_name=self.server.role,
            server_major=self.server.major,
        )

    @property
    def concurrency(self) -> ConcurrencySettings:
        return ConcurrencySettings(
            is_enabled=self.settings.refresh_concurrently, allows_fallback=self.settings.concurrent_fallback
        )

    @property
    def views(self) -> Mapping[ViewName, ViewSpec]:
        """The views in this database that enabled manifests name."""
        return {spec.key.name: spec for spec in self.selection.views if spec.key.database == self.alias}

    @property
    def names(self) -> frozenset[ViewName]:
        """The views in this database that enabled or disabled manifests name."""
        return frozenset(key.name for key in self.listed if key.database == self.alias)
