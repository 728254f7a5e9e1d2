"""What programs that watch ask for; may be mounted alone, anywhere."""

from django.urls import path

from seeder.probes import health
from seeder.probes.metrics import metrics

app_name = "seeder-probes"

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("health/alive", health.alive, name="alive"),
    path("health/ready", health.ready, name="ready"),
]
