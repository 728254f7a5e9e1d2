"""URLs of the monitoring endpoints, which work without the API."""

from collections.abc import Callable

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from seeder.probes import health
from seeder.probes.metrics import metrics


def probe(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Allow only GET and HEAD, disable caching, ignore ATOMIC_REQUESTS.

    A transaction around the request would wait for the databases whose status is checked.
    """
    wrapped = never_cache(require_safe(view))
    for alias in connections:
        wrapped = transaction.non_atomic_requests(using=alias)(wrapped)
    return wrapped


app_name = "seeder-probes"

urlpatterns = [
    path("metrics", probe(metrics), name="metrics"),
    path("health/alive", probe(health.alive), name="alive"),
    path("health/ready", probe(health.ready), name="ready"),
]
