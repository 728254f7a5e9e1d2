"""Short paths for clients that know no version: the same views as below `v1/`.

Each path may end with a slash.
"""

from django.urls import URLPattern, re_path

from data_pipeline.api import ingest_endpoints, stats_endpoints
from seeder.api.base_view import NotFoundView

# Without a schema, which describes the versioned paths.
urlpatterns: list[URLPattern] = [
    re_path(r"^ingest/?$", ingest_endpoints.IngestView.as_view(schema=None)),
    re_path(r"^ingest/dry-run/?$", ingest_endpoints.DryRunView.as_view(schema=None)),
    re_path(r"^ingest/records/?$", ingest_endpoints.RecordsView.as_view(schema=None)),
    re_path(r"^upload/?$", ingest_endpoints.UploadView.as_view(schema=None)),
    re_path(r"^stats/(?P<name>[^/]+)/?$", stats_endpoints.StatisticView.as_view(schema=None)),
    re_path(r"^score/?$", stats_endpoints.ScoreView.as_view(schema=None)),
    re_path(r"^(?:ingest|upload|stats|score)(?:/[\s\S]*)?$", NotFoundView.as_view()),
]
