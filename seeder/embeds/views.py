"""A badge and a fragment that any page can embed.

They answer without a login, so they contain an instant and a word of a closed set, and nothing else.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.db import Error, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from seeder.domain.freshness.agency_freshness import AgencyFreshness, ReaderState
from seeder.embeds.badge_layout import badge_layout
from seeder.errors import ConfigurationError, DatabaseError
from seeder.services import freshness_links
from seeder.services.read_models.agency_freshness import CACHE_SECONDS, shared_freshness

_BADGE_STYLE = (
    "text{font:11px Verdana,DejaVu Sans,sans-serif}.l{fill:#eaecef}.t{fill:#1f2328}.v{fill:#fff}"
    "@media(prefers-color-scheme:dark){.l{fill:#30363d}.t{fill:#f0f3f6}}"
)
_FRAME_STYLE = (
    ":root{color-scheme:light dark}body{margin:0;font:14px/1.4 system-ui,sans-serif}p{margin:0}"
    "[data-state=late]{font-weight:600}"
)
_UNKNOWN = AgencyFreshness(state=ReaderState.UNKNOWN)

Page = Callable[[HttpRequest, str], HttpResponseBase]


def _page(content_type: str, template: str, style: str, context: Callable[[AgencyFreshness | None], Any]) -> Page:
    """Return a view that renders a template, for every origin, without a session and outside of transactions."""
    # Without frame-ancestors every page may embed it. `*` would leave out pages of other schemes, such as files.
    policy = "default-src 'none'" + (f"; style-src '{_hash(style)}'" if style else "")
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Content-Security-Policy": policy,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",  # the URL is the authorization
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }

    def view(request: HttpRequest, token: str) -> HttpResponseBase:
        freshness, status = _freshness_of(token)
        body = render_to_string(template, {"style": style, "shown": context(freshness), "freshness": freshness})
        response = HttpResponse(body, status=status, content_type=content_type, headers=headers)
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            response["Cache-Control"] = "no-store"
            return response
        response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
        set_response_etag(response)
        if status is not HTTPStatus.OK:
            return response
        return get_conditional_response(request, etag=response["ETag"], response=response) or response

    wrapped: Page = xframe_options_exempt(require_safe(view))
    for alias in connections:
        wrapped = transaction.non_atomic_requests(using=alias)(wrapped)
    return wrapped


def _hash(style: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def _freshness_of(token: str) -> tuple[AgencyFreshness | None, HTTPStatus]:
    """Return None with 404 for every link that is not valid, and `unknown` with 503 if it cannot be read."""
    try:
        agency = freshness_links.read_token(token)
        if agency is None:
            return None, HTTPStatus.NOT_FOUND
        return shared_freshness(agency), HTTPStatus.OK
    except (ConfigurationError, DatabaseError, Error):
        return _UNKNOWN, HTTPStatus.SERVICE_UNAVAILABLE


def _nothing_more(_: AgencyFreshness | None) -> Mapping[str, Any]:
    return {}


_HTML = "text/html; charset=utf-8"
badge = _page("image/svg+xml; charset=utf-8", "seeder/embeds/badge.svg", _BADGE_STYLE, badge_layout)
fragment = _page(_HTML, "seeder/embeds/fragment.html", "", _nothing_more)
frame = _page(_HTML, "seeder/embeds/frame.html", _FRAME_STYLE, _nothing_more)
