"""What the manifest tables ask for, as frozen values: who reads which view, and what is wrong with a row."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from seeder.domain.view_names import ViewName


class ReportType(StrEnum):
    """Whose report it is; manifest ids are unique only within one type."""

    CUSTOM = "custom"
    CANNED = "canned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """One agency's interest in one view: a custom report, or a subscription to a canned one."""

    report_type: ReportType
    manifest_id: int
    table_name: str  # exactly as the row spells it
    report_name: str
    agency_id: int
    agency_slug: str
    query: str = field(repr=False)  # what this row says the view is; empty where the canned report is gone

    @property
    def precedence(self) -> tuple[bool, int]:
        """Custom before canned, then by id: among manifests that name one view, the first speaks for it."""
        return self.report_type is ReportType.CANNED, self.manifest_id


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ViewKey:
    """Which view is meant: two spellings of a name in one database are one key."""

    database: str  # Django's alias
    name: ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewSpec:
    """One view and all the selected manifests that it is refreshed for."""

    key: ViewKey
    manifests: tuple[Manifest, ...]  # in their order, at least one

    @property
    def table_names(self) -> frozenset[str]:
        """The view's name in every spelling that a manifest gives it."""
        return frozenset(manifest.table_name for manifest in self.manifests)

    @property
    def query(self) -> str:
        """What the view is created from when it is missing: the first manifest's."""
        return self.manifests[0].query


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedManifest:
    """A manifest that cannot be planned at all, and why; it ends in error while the others go on."""

    manifest: Manifest
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What a request selects: the views in the order of their first manifests, and the rows that cannot be read."""

    views: tuple[ViewSpec, ...] = ()
    rejected: tuple[RejectedManifest, ...] = ()

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every selected manifest, the rejected ones last."""
        accepted = (manifest for spec in self.views for manifest in spec.manifests)
        return (*accepted, *(one.manifest for one in self.rejected))


def group_by_view(rows: Iterable[tuple[ViewKey, Manifest]]) -> tuple[ViewSpec, ...]:
    """Bring manifests that name the same view together, in their order."""
    by_key: dict[ViewKey, list[Manifest]] = {}
    for key, manifest in sorted(rows, key=lambda row: row[1].precedence):
        by_key.setdefault(key, []).append(manifest)
    return tuple(ViewSpec(key=key, manifests=tuple(manifests)) for key, manifests in by_key.items())
