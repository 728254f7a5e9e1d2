"""URLs: the admin with the monitoring pages, the APIs of both apps, and the endpoints for monitoring."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from seeder.api.base_view import MissingSlashView, NotFoundView

admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/seeder/", include("seeder.urls")),
    path("api/pipeline/", include("data_pipeline.api.urls")),
    re_path(r"^api/[\s\S]*/$", NotFoundView.as_view()),
    re_path(r"^api/[\s\S]+$", MissingSlashView.as_view()),
    path("", include("data_pipeline.api.bare_urls")),
]
