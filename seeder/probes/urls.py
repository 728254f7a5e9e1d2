"""URLs of the monitoring endpoints, which work without the API."""

from django.urls import path

from seeder.probes import health
from seeder.probes.metrics import metrics

app_name = "seeder-probes"

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("health/alive", health.alive, name="alive"),
    path("health/ready", health.ready, name="ready"),
]
