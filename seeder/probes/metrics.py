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
from seeder.probes.probe_decorator import probe
from seeder.probes.prometheus_collector import ScrapeCollector
from seeder.services.read_models import agency_scope, metrics_snapshot

PERMISSION = "seeder.view_jobstatus"
_OPENMETRICS_MEDIA_TYPE = "application/openmetrics-text"


@probe
@gzip_page
def metrics(request: HttpRequest) -> HttpResponse:
    """200 also where the database is away: a target that does not answer is down, and nobody learns why. 401 or 403 for
    whoever may not see all agencies; 503 where that cannot be found out."""
    try:
        settings = conf.load()
        error_response = _access_error(request, settings.metrics_token)
    except (ConfigurationError, DatabaseError, Error):
        return _text_response(503, "Who asks cannot be found out now.")
    return error_response or _scrape_response(request, timedelta(hours=settings.metrics_window_hours))


@sensitive_variables("token")
def _access_error(request: HttpRequest, token: str) -> HttpResponse | None:
    if token and _is_valid_bearer(request.headers.get("Authorization", ""), token):
        return None
    user = getattr(request, "user", None)  # the host may know no users
    if user is None or not user.is_authenticated:
        response = _text_response(401, "A token or a login is needed.")
        response["WWW-Authenticate"] = "Bearer"
        return response
    if not user.has_perm(PERMISSION) or agency_scope.agencies_of(user) is not None:
        return _text_response(403, "Only who may see the jobs of all agencies may see this.")
    return None


@sensitive_variables()
def _is_valid_bearer(header: str, token: str) -> bool:
    scheme, _, given = header.partition(" ")
    is_match = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return is_match and scheme.lower() == "bearer"


def _scrape_response(request: HttpRequest, window: timedelta) -> HttpResponse:
    started_at = monotonic()
    try:
        values = metrics_snapshot.read_metrics()
    except DatabaseError:
        values = None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        ScrapeCollector(gauges=values, window=window, duration=timedelta(seconds=monotonic() - started_at))
    )
    if _OPENMETRICS_MEDIA_TYPE in request.headers.get("Accept", ""):
        return HttpResponse(_generate_openmetrics(registry), content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HttpResponse(exposition.generate_latest(registry), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


_generate_openmetrics = cast(
    "Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest
)  # whose types are incomplete


def _text_response(status: int, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
