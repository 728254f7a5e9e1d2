"""Manifests and the views that they request, as frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from seeder.domain.declared_dependencies import Declaration, find_declaration
from seeder.domain.view_names import ViewName


class ReportType(StrEnum):
    """Type of a report. Manifest ids are unique only within a type."""

    CUSTOM = "custom"
    CANNED = "canned"


ManifestKey = tuple[ReportType, int]  # with the manifest's id


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """One agency's report on a view: a custom report, or a subscription to a canned one."""

    report_type: ReportType
    manifest_id: int
    table_name: str  # as spelled in the row
    report_name: str
    agency_id: int
    agency_slug: str
    query: str = field(repr=False)  # definition of the view; empty if the canned report is missing

    @property
    def key(self) -> ManifestKey:
        return self.report_type, self.manifest_id

    @property
    def precedence(self) -> tuple[bool, int]:
        """Sort key: custom before canned, then by id. The first manifest of a view defines it."""
        return self.report_type is ReportType.CANNED, self.manifest_id


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class ViewKey:
    """Identity of a view: its database and its parsed name."""

    database: str  # Django's alias
    name: ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewSpec:
    """A view and the selected manifests that request it."""

    key: ViewKey
    manifests: tuple[Manifest, ...]  # at least one, by precedence

    @property
    def table_names(self) -> frozenset[str]:
        """Every spelling of the view's name in its manifests."""
        return frozenset(manifest.table_name for manifest in self.manifests)

    @property
    def declaration(self) -> Declaration | None:
        """The dependencies that its queries declare."""
        return find_declaration(manifest.query for manifest in self.manifests)

    @property
    def query(self) -> str:
        """The query that a missing view is created from: the first manifest's."""
        return self.manifests[0].query


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedManifest:
    """A manifest that cannot be planned. It ends in error while the others continue."""

    manifest: Manifest
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Views of a request, ordered by their first manifests, and rejected manifests."""

    views: tuple[ViewSpec, ...] = ()
    rejected: tuple[RejectedManifest, ...] = ()

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """All selected manifests, rejected ones last."""
        accepted = (manifest for spec in self.views for manifest in spec.manifests)
        return (*accepted, *(one.manifest for one in self.rejected))


def group_by_view(rows: Iterable[tuple[ViewKey, Manifest]]) -> tuple[ViewSpec, ...]:
    """Group manifests by view, ordered by precedence."""
    by_key: dict[ViewKey, list[Manifest]] = {}
    for key, manifest in sorted(rows, key=lambda row: row[1].precedence):
        by_key.setdefault(key, []).append(manifest)
    return tuple(ViewSpec(key=key, manifests=tuple(manifests)) for key, manifests in by_key.items())
