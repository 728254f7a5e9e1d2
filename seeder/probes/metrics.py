"""The metrics endpoint: Prometheus and OpenMetrics text formats."""

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.gzip import gzip_page

from seeder import conf
from seeder.errors import ConfigurationError, DatabaseError
from seeder.services import extras
from seeder.services.read_models import agency_scope

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PERMISSION = "seeder.view_jobstatus"


@gzip_page
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics of all apps, even without the database.

    `seeder_up` is 0 then, which shows more than a failed scrape. Answers 401 or 403 without access to all agencies,
    503 if access cannot be checked, and 501 without the extra `metrics`.
    """
    try:
        error_response = _access_error(request, conf.load().metrics_token)
    except (ConfigurationError, DatabaseError, Error):
        return _text_response(503, "Authentication is unavailable.")
    if error_response is not None:
        return error_response
    if missing := extras.problem(extras.METRICS, "The metrics endpoint"):
        return _text_response(501, str(missing))
    return _scrape_response(request)


@sensitive_variables("token")
def _access_error(request: HttpRequest, token: str) -> HttpResponse | None:
    if token and _is_valid_bearer(request.headers.get("Authorization", ""), token):
        return None
    user = getattr(request, "user", None)  # the host may have no authentication
    if user is None or not user.is_authenticated:
        response = _text_response(401, "Authentication required: token or login.")
        response["WWW-Authenticate"] = "Bearer"
        return response
    if not user.has_perm(PERMISSION) or agency_scope.agencies_of(user) is not None:
        return _text_response(403, "Requires access to the jobs of all agencies.")
    return None


@sensitive_variables()
def _is_valid_bearer(header: str, token: str) -> bool:
    scheme, _, given = header.partition(" ")
    is_match = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return is_match and scheme.lower() == "bearer"


class InstalledAppsCollector:
    """Collect the metrics of every app whose AppConfig has `metric_collectors`.

    `metric_collectors` is a sequence of dotted paths to functions without arguments that return metrics. They are
    imported at the first scrape, so that prometheus_client is loaded only if the endpoint is used. All are called
    before the first metric is read, so that they can start their queries at the same time.
    """

    def collect(self) -> Iterator["Metric"]:
        paths = [path for app in apps.get_app_configs() for path in getattr(app, "metric_collectors", ())]
        for metrics in [import_string(path)() for path in paths]:
            yield from metrics


def _scrape_response(request: HttpRequest) -> HttpResponse:
    """Return all metrics in the format that the client accepts."""
    from prometheus_client import exposition
    from prometheus_client.openmetrics import exposition as openmetrics

    collector = InstalledAppsCollector()
    if "application/openmetrics-text" in request.headers.get("Accept", ""):
        body: bytes = openmetrics.generate_latest(collector)  # type: ignore[no-untyped-call]
        return HttpResponse(body, content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HttpResponse(exposition.generate_latest(collector), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


def _text_response(status: int, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
