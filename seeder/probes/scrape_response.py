"""The response to one scrape, in Prometheus or OpenMetrics format.

This module needs the extra `metrics`.
"""

from collections.abc import Callable, Iterator
from typing import cast

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

_OPENMETRICS_MEDIA_TYPE = "application/openmetrics-text"


class InstalledAppsCollector(Collector):
    """Yield the metrics of every app whose AppConfig has `metric_collectors`.

    `metric_collectors` is a sequence of dotted paths to functions without arguments that return metrics. They are
    imported at the first scrape, so that prometheus_client is loaded only if the endpoint is used.
    """

    def collect(self) -> Iterator[Metric]:
        for app in apps.get_app_configs():
            for path in getattr(app, "metric_collectors", ()):
                yield from import_string(path)()


def scrape_response(request: HttpRequest) -> HttpResponse:
    """Collect the metrics of all installed apps in the format that the client accepts."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(InstalledAppsCollector())
    if _OPENMETRICS_MEDIA_TYPE in request.headers.get("Accept", ""):
        return HttpResponse(_generate_openmetrics(registry), content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HttpResponse(exposition.generate_latest(registry), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


# The type hints of prometheus_client are incomplete.
_generate_openmetrics = cast("Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest)
