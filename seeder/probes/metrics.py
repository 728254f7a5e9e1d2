"""The metrics, for Prometheus and whatever else reads its formats."""

import hmac
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import cast

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.gzip import gzip_page
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.openmetrics import exposition as openmetrics

from seeder import conf
from seeder.errors import ConfigurationError, DatabaseError
from seeder.probes.door import probe
from seeder.probes.exposition import Scrape
from seeder.services.reading import gauges, visibility

PERMISSION = "seeder.view_jobstatus"
_OPEN = "application/openmetrics-text"


@probe
@gzip_page
def metrics(request: HttpRequest) -> HttpResponse:
    """200 also where the database is away: a target that does not answer is down, and nobody learns why. 401 or 403 for
    whoever may not see all agencies; 503 where that cannot be found out."""
    try:
        settings = conf.load()
        refusal = _refusal(request, settings.metrics_token)
    except (ConfigurationError, DatabaseError, Error):
        return _said(503, "Who asks cannot be found out now.")
    return refusal or _scraped(request, timedelta(hours=settings.metrics_window_hours))


@sensitive_variables("token")
def _refusal(request: HttpRequest, token: str) -> HttpResponse | None:
    if token and _is_bearer(request.headers.get("Authorization", ""), token):
        return None
    user = getattr(request, "user", None)  # the host may know no users
    if user is None or not user.is_authenticated:
        refusal = _said(401, "A token or a login is needed.")
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    if not user.has_perm(PERMISSION) or visibility.agencies_of(user) is not None:
        return _said(403, "Only who may see the jobs of all agencies may see this.")
    return None


@sensitive_variables()
def _is_bearer(header: str, token: str) -> bool:
    scheme, _, given = header.partition(" ")
    is_it = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return is_it and scheme.lower() == "bearer"


def _scraped(request: HttpRequest, window: timedelta) -> HttpResponse:
    begun = monotonic()
    try:
        found = gauges.read()
    except DatabaseError:
        found = None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Scrape(gauges=found, window=window, took=timedelta(seconds=monotonic() - begun)))
    if _OPEN in request.headers.get("Accept", ""):
        return HttpResponse(_in_openmetrics(registry), content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HttpResponse(exposition.generate_latest(registry), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


_in_openmetrics = cast(
    "Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest
)  # whose types are incomplete


def _said(status: int, line: str) -> HttpResponse:
    return HttpResponse(f"{line}\n", status=status, content_type="text/plain; charset=utf-8")
