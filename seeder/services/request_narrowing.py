"""Narrows requests to some of their views: by patterns of names, and by how their last refresh ended."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.human_format import join_with_and
from seeder.domain.manifests import Manifest, ManifestKey
from seeder.domain.monitoring.report_jobs import ContractedViews, GroupBy, JobFilter, JobPageRequest
from seeder.domain.refresh_requests import RefreshRequest, SelectedManifests
from seeder.domain.view_names import normalize_name
from seeder.domain.view_patterns import ViewPatterns, matches
from seeder.manifest_errors import PatternMatchesNothing
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection
from seeder.services.read_models import job_list
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """The views of a request that are meant. With both states, those in either."""

    patterns: ViewPatterns = field(default_factory=ViewPatterns)
    is_failed: bool = False  # their last refresh failed or was held
    is_stale: bool = False  # they miss a contract, or their last success is too long ago

    def __str__(self) -> str:
        states = [Text("only failed")] * self.is_failed + [Text("only stale")] * self.is_stale
        if len(states) > 1:
            states = [Text("only failed or stale")]
        return Text.joined(filter(None, [str(self.patterns), *states]))


def narrow(requests: Sequence[RefreshRequest], narrowing: Narrowing) -> RefreshRequest:
    """Return one request for what is meant of several. A single request for everything is returned as it is.

    Raises `PatternMatchesNothing`, so that a typo does not pass for a refresh, or what a selection raises.
    """
    limits = str(narrowing)
    if len(requests) == 1 and not limits:
        return requests[0]
    databases = conf.load().databases
    description = join_with_and(dict.fromkeys(request.description for request in requests))
    selections = [manifest_selection.select(request, databases=databases) for request in requests]
    manifests = {manifest.key: manifest for selection in selections for manifest in selection.manifests}
    _require_matches(narrowing.patterns.select, manifests.values(), description)
    chosen = {key for key, one in manifests.items() if narrowing.patterns.match(one.table_name)}
    if narrowing.is_failed or narrowing.is_stale:
        names = {normalize_name(manifests[key].table_name) for key in _in_state(narrowing) & manifests.keys()}
        chosen = {key for key in chosen if normalize_name(manifests[key].table_name) in names}
    parts = Text.joined(filter(None, [description, limits]))
    return SelectedManifests(manifests=frozenset(chosen), description=parts)


def _require_matches(patterns: Sequence[str], manifests: Iterable[Manifest], description: str) -> None:
    names = {manifest.table_name for manifest in manifests}
    for pattern in patterns:
        if not any(matches(pattern, name) for name in names):
            raise PatternMatchesNothing(pattern=pattern, request=description)


@translate_database_errors(DEFAULT_DB_ALIAS)
def _in_state(narrowing: Narrowing) -> Set[ManifestKey]:
    """Return the manifests whose last refresh failed, or that are stale."""
    filters = [JobFilter(failing=True, contracted=ContractedViews())] * narrowing.is_failed
    filters += [JobFilter(stale=True)] * narrowing.is_stale
    pages = [job_list.job_page(one, JobPageRequest(limit=None), group_by=GroupBy.MANIFEST) for one in filters]
    return {job.key for page in pages for job in page.jobs}
