"""URLs: the admin with the monitoring pages, the APIs of both apps, and the endpoints for monitoring."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/seeder/", include("seeder.urls")),
    path("api/pipeline/", include("data_pipeline.api.urls")),
    path("", include("data_pipeline.api.bare_urls")),
]
