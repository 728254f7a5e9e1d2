"""Everything there is to mount: what programs watch, and the API where the host names what it is made with."""

from django.apps import apps
from django.urls import include, path

urlpatterns = [path("", include("seeder.probes.urls"))]
if apps.is_installed("rest_framework"):
    urlpatterns.append(path("", include("seeder.api.urls")))
