"""URLs of the API of loads. A breaking change gets a new version."""

from django.apps import apps
from django.urls import URLPattern, include, path, re_path

from data_pipeline.api import (
    action_endpoints,
    ingest_endpoints,
    lineage_endpoints,
    load_endpoints,
    openapi,
    reject_endpoints,
    request_endpoints,
    stats_endpoints,
)
from data_pipeline.api.base_view import APP_NAME
from seeder.api.base_view import MissingSlashView, NotFoundView

app_name = APP_NAME

# The page uses a template of drf_spectacular and scripts of drf_spectacular_sidecar.
_has_docs = all(map(apps.is_installed, ("drf_spectacular", "drf_spectacular_sidecar")))
_docs = [path("docs/", openapi.PipelineDocsView.as_view(), name="docs")] if _has_docs else []

_v1: list[URLPattern] = [
    path("", openapi.PipelineRootView.as_view(), name="root"),
    path("loads/", load_endpoints.LoadListView.as_view(), name="loads"),
    path("loads/<int:id>/", load_endpoints.LoadDetailView.as_view(), name="load"),
    path("loads/<int:id>/rejects/", reject_endpoints.RejectListView.as_view(), name="rejects"),
    path("loads/<int:id>/replay/", action_endpoints.ReplayView.as_view(), name="replay"),
    path("loads/<int:id>/undo/", action_endpoints.UndoView.as_view(), name="undo"),
    path("loads/<int:id>/verify/", action_endpoints.VerificationView.as_view(), name="verify"),
    path("loads/<int:id>/dismiss/", action_endpoints.DismissalView.as_view(), name="dismiss"),
    path("requests/", request_endpoints.RequestListView.as_view(), name="requests"),
    path("ingest/", ingest_endpoints.IngestView.as_view(), name="ingest"),
    path("ingest/dry-run/", ingest_endpoints.DryRunView.as_view(), name="dry-run"),
    path("ingest/records/", ingest_endpoints.RecordsView.as_view(), name="records"),
    path("upload/", ingest_endpoints.UploadView.as_view(), name="upload"),
    path("requests/<int:id>/", request_endpoints.RequestDetailView.as_view(), name="request"),
    path("tables/<str:name>/lineage/", lineage_endpoints.TableLineageView.as_view(), name="lineage"),
    path("views/<str:name>/as-of/", lineage_endpoints.ViewAsOfView.as_view(), name="as-of"),
    path("stats/<str:name>/", stats_endpoints.StatisticView.as_view(), name="statistic"),
    path("score/", stats_endpoints.ScoreView.as_view(), name="score"),
    path("schema/", openapi.PipelineSchemaView.as_view(), name="schema"),
    *_docs,
    re_path(r"^[\s\S]*/$", NotFoundView.as_view()),
    re_path(r"^[\s\S]+$", MissingSlashView.as_view()),
]

urlpatterns = [path("v1/", include(_v1))]
