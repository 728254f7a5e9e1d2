"""The page of a load, and the pages that ask for confirmation."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from data_pipeline.admin import load_actions, page_urls
from data_pipeline.admin.lineage_chart import Kind, Node, draw
from data_pipeline.domain import uris
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.load_words import metadata_word
from data_pipeline.domain.rejects import RejectState, count_text
from data_pipeline.models import LoadLog
from data_pipeline.services import lineage, page_facts
from data_pipeline.services.possible_actions import possible_actions
from seeder.admin import page_urls as seeder_urls
from seeder.admin.mute_page import show_mute
from seeder.services.notifications import mutes
from seeder.services.notifications.mutes import MuteSubject
from seeder.services.read_models import agency_scope
from seeder.services.translation import translated
from seeder.texts import Text

SEE_RAW = "data_pipeline.see_raw"
_SHOWN_ELSEWHERE = {"source_uri", "target_table", "columns", "options"}


def load_page(request: HttpRequest, site: AdminSite, load_id: int) -> HttpResponse:
    shows_values = request.user.has_perm(SEE_RAW)
    page = page_facts.read_load_page(load_id, shows_values=shows_values)
    context = {
        **site.each_context(request),
        "title": translated(Text("Load {load_id}", load_id=load_id)),
        "page": page,
        "load": page.load,
        "file": file_name(page.load),
        "table": table_of(page.load),
        "duration": None if page.load.duration_ms is None else timedelta(milliseconds=page.load.duration_ms),
        "reject_counts": Text.joined(
            count_text(RejectState(state), number) for state, number in page.reject_counts.items()
        ),
        "facts": _meta_facts(page.load.payload_meta),
        "shows_values": shows_values,
        "can_see_rejects": request.user.has_perm("data_pipeline.view_loadreject"),
        "rejects_url": page_urls.rejects_of(site, load_id),
        "actions": [
            (load_actions.LOAD_ACTIONS[name], page_urls.load_action(site, load_id, name))
            for name in possible_actions(request.user, page.load)
        ],
        "mute_url": page_urls.mute(site, load_id) if request.user.has_perm(mutes.PERMISSION) else None,
        "live": page.load.status == LoadStatus.PENDING and not page.is_stuck,
        **_lineage_context(request, site, page.load),
    }
    return TemplateResponse(request, "data_pipeline/load.html", context)


def action_page(
    request: HttpRequest, site: AdminSite, action: load_actions.LoadAction, *, load_id: int
) -> HttpResponse:
    """Ask for confirmation, or run the action and return to the load.

    The page of the load shows the result.
    """
    if not request.user.has_perm(action.permission):
        raise PermissionDenied
    load = page_facts.read_load_page(load_id, shows_values=False).load
    url = page_urls.load(site, load_id)
    if request.method == "POST":
        load_actions.run_action(request, site, action, load)
        return HttpResponseRedirect(url)
    context = {
        **site.each_context(request),
        "title": translated(action.title(load_id)),
        "action": action,
        "load": load,
        "file": file_name(load),
        "table": table_of(load),
        "url": url,
    }
    return TemplateResponse(request, "data_pipeline/load_action.html", context)


def mute_page(request: HttpRequest, site: AdminSite, *, load_id: int) -> HttpResponse:
    """Show the mute of the source of a load. Start or end it after a POST."""
    if not (request.user.has_perm(mutes.PERMISSION) and request.user.has_perm("data_pipeline.view_loadlog")):
        raise PermissionDenied
    load = page_facts.read_load_page(load_id, shows_values=False).load
    source = MuteSubject(database=DEFAULT_DB_ALIAS, name=load.source)
    return show_mute(request, site, source, url=page_urls.load(site, load_id), template="data_pipeline/mute.html")


def file_name(load: LoadLog) -> str | None:
    """Return the last part of the address of the loaded file."""
    uri = load.payload_meta.get("source_uri")
    return uris.file_name(uri) if isinstance(uri, str) else None


def table_of(load: LoadLog) -> str | None:
    """Return the table of a load, even if the load failed earlier.

    None if it is unknown.
    """
    named = load.payload_meta.get("target_table")
    return load.target or (named if isinstance(named, str) and named != "auto" else None)


def _lineage_context(request: HttpRequest, site: AdminSite, load: LoadLog) -> Mapping[str, Any]:
    agencies = agency_scope.agencies_of(request.user)
    visible = None if agencies is None else agency_scope.tables_of(agencies)
    table = table_of(load)
    found = lineage.find_lineage(table, visible=visible)
    can_see_views = request.user.has_perm("seeder.view_jobstatus")
    urls = {view: seeder_urls.view(site, view) for view in (found.views if found and can_see_views else ())}
    path = [Node(kind=Kind.LOAD, name=str(load.pk))]
    if name := file_name(load):
        path.insert(0, Node(kind=Kind.FILE, name=name))
    if table:
        path.append(Node(kind=Kind.TABLE, name=table, url=page_urls.loads_of(site, table)))
    return {
        "lineage": found,
        "chart": draw(path, found, urls),
        "views": [(view, urls.get(view), sorted(found.reads[view])) for view in found.views] if found else [],
    }


def _meta_facts(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the remaining metadata as names and texts."""
    return [
        (translated(metadata_word(name)), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in meta.items()
        if name not in _SHOWN_ELSEWHERE and value not in (None, "", [], {}, False)
    ]
