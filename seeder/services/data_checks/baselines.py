"""What the data checks of a view compare its new rows with."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.conf import Settings
from seeder.domain.data_checks.drift import DriftBase, accepted_base
from seeder.domain.data_checks.rules import Drift
from seeder.domain.manifests import ViewSpec
from seeder.domain.snapshots.drift_rules import DriftRule, with_defaults
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.models import ReleaseSnapshot
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.data_checks import waivers
from seeder.services.data_checks.waivers import WAIVERS_TABLE
from seeder.services.snapshots.snapshot_store import snapshot_from_row


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """The last accepted number of rows, release snapshots and accepted drift of one view."""

    spec: ViewSpec
    tables: OptionalTables
    settings: Settings

    def last_accepted_rows(self, check_name: str) -> int | None:
        """Return the rows of the last published refresh, or those accepted since. None before the first refresh."""
        report_types, manifest_ids = zip(*(manifest.key for manifest in self.spec.manifests), strict=True)
        parameters = {
            "names": list(self.spec.table_names),
            "report_types": list(report_types),
            "manifest_ids": list(manifest_ids),
            "database": self.spec.key.database,
            "view": str(self.spec.key.name),
            "check": check_name,
        }
        names = ["last_published_rows", *(["accepted_rows"] if self.tables.is_usable(WAIVERS_TABLE) else [])]
        found = sessions.query_batch(DEFAULT_DB_ALIAS, [STATEMENTS[name] for name in names], parameters)
        rows = [(instant, count) for [(count, instant)] in filter(None, found)]
        return int(max(rows)[1]) if rows else None

    def drift_base(self, check_name: str, rule: Drift) -> DriftBase | None:
        """Return what a drift check compares with: the release that it names, or the last accepted state.

        The latest release snapshot is accepted, and so is a failure that a user has accepted. None if there is none.
        """
        snapshot = self._release_snapshot(rule)
        if rule.release_tag is None and self.tables.is_usable(WAIVERS_TABLE):
            accepted = waivers.accepted_drift(self.spec.key, check_name)
            if accepted is not None and (snapshot is None or accepted.granted_at > snapshot.captured_at):
                return accepted_base(self.spec.key.name, accepted.figures, accepted.granted_at)
        return None if snapshot is None else DriftBase(snapshot=snapshot)

    def _release_snapshot(self, rule: Drift) -> Snapshot | None:
        rows = ReleaseSnapshot.objects.filter(table_name=str(self.spec.key.name))
        if rule.release_tag is not None:
            rows = rows.filter(release_tag=rule.release_tag)
        row = rows.order_by("-captured_at", "-pk").first()
        return None if row is None else snapshot_from_row(row)

    @property
    def drift_rules(self) -> Sequence[DriftRule]:
        """The rules for the severity of differences."""
        return with_defaults(self.settings.drift_rules)
