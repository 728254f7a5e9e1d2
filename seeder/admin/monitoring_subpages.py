"""The page of a comparison of snapshots."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from seeder.domain.snapshots.drift_rules import Severity
from seeder.domain.snapshots.drift_text import SEVERITY_SUMMARIES, SEVERITY_WORDS
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.errors import UnknownSnapshot
from seeder.services.read_models import agency_scope
from seeder.services.snapshots import release_snapshots
from seeder.services.translation import translated
from seeder.texts import Text


def drift_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    agencies = agency_scope.agencies_of(request.user)
    base, other = (_require_snapshot(request.GET.get(parameter, ""), agencies) for parameter in ("base", "compare"))
    comparison = release_snapshots.compare_snapshots(base, other)
    title = Text(
        "Changes from {base} to {compare}", base=comparison.base.release.tag, compare=comparison.compare.release.tag
    )
    context = {
        **site.each_context(request),
        "title": translated(title),
        "comparison": comparison,
        "verdict": SEVERITY_SUMMARIES[comparison.severity],
        "groups": [
            (
                severity,
                SEVERITY_WORDS[severity],
                [finding for finding in comparison.findings if finding.severity is severity],
            )
            for severity in reversed(Severity)
        ],
    }
    return TemplateResponse(request, "seeder/drift.html", context)


def _require_snapshot(id_text: str, agencies: list[str] | None) -> Snapshot:
    if not (id_text.isascii() and id_text.isdigit() and len(id_text) < 20):
        raise UnknownSnapshot(identity=Text("with the id {id}", id=id_text))
    return agency_scope.snapshot(int(id_text), agencies)
