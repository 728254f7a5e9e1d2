"""Everything there is to mount: what programs watch, and the API."""

from django.urls import include, path

urlpatterns = [
    path("", include("seeder.probes.urls")),
    path("", include("seeder.api.urls")),
]
