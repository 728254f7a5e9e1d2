"""URLs of the monitoring endpoints, and of the API with rest_framework."""

from django.apps import apps
from django.urls import include, path

urlpatterns = [path("", include("seeder.probes.urls"))]
if apps.is_installed("rest_framework"):
    urlpatterns.append(path("", include("seeder.api.urls")))
