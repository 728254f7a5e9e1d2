"""URLs of the API. A breaking change gets a new version."""

from django.apps import apps
from django.urls import include, path, re_path

from seeder.api import (
    agency_endpoints,
    check_endpoints,
    job_endpoints,
    manifest_endpoints,
    openapi,
    queue_endpoints,
    refresh_endpoints,
    run_endpoints,
    snapshot_endpoints,
    totals_endpoints,
    view_endpoints,
)
from seeder.api.base_view import MissingSlashView, NotFoundView
from seeder.api.root_endpoint import RootView

app_name = "seeder-api"

_JOB_PATH = "jobs/<str:reportType>/<int:id>/"
_CHECK_PATH = "views/<str:name>/checks/<str:check>/"

# The page uses a template of drf_spectacular and scripts of drf_spectacular_sidecar.
_has_docs = all(map(apps.is_installed, ("drf_spectacular", "drf_spectacular_sidecar")))
_docs = [path("docs/", openapi.DocsView.as_view(), name="docs")] if _has_docs else []

_v1 = [
    path("", RootView.as_view(), name="root"),
    path("jobs/", job_endpoints.JobListView.as_view(), name="jobs"),
    path(_JOB_PATH, job_endpoints.JobDetailView.as_view(), name="job"),
    path(f"{_JOB_PATH}history/", job_endpoints.JobHistoryView.as_view(), name="job-history"),
    path(f"{_JOB_PATH}refresh/", refresh_endpoints.RefreshJobView.as_view(), name="refresh-job"),
    path("agencies/", agency_endpoints.AgencyListView.as_view(), name="agencies"),
    path("agencies/<str:slug>/", agency_endpoints.AgencyDetailView.as_view(), name="agency"),
    path("agencies/<str:slug>/refresh/", refresh_endpoints.RefreshAgencyView.as_view(), name="refresh-agency"),
    path("manifests/", manifest_endpoints.ManifestListView.as_view(), name="manifests"),
    path("manifests/validate/", manifest_endpoints.ValidateQueryView.as_view()),
    path("manifests/<str:reportType>/<int:id>/", manifest_endpoints.ManifestDetailView.as_view(), name="manifest"),
    path("queue/", queue_endpoints.RequestListView.as_view(), name="queue"),
    path("queue/<str:requestId>/", queue_endpoints.RequestStatusView.as_view(), name="queued"),
    path("queue/<str:requestId>/cancel/", queue_endpoints.CancelRequestView.as_view(), name="cancel-request"),
    path("runs/", run_endpoints.RunListView.as_view(), name="runs"),
    path("runs/<str:runId>/", run_endpoints.RunDetailView.as_view(), name="run"),
    path("runs/<str:runId>/cancel/", run_endpoints.CancelRunView.as_view(), name="cancel-run"),
    path("runs/<str:runId>/history/", run_endpoints.RunHistoryView.as_view(), name="run-history"),
    path("runs/<str:runId>/retry/", refresh_endpoints.RetryRunView.as_view(), name="retry-run"),
    path("snapshots/", snapshot_endpoints.SnapshotListView.as_view(), name="snapshots"),
    path("snapshots/compare/", snapshot_endpoints.SnapshotComparisonView.as_view(), name="comparison"),
    path("snapshots/<int:id>/", snapshot_endpoints.SnapshotDetailView.as_view(), name="snapshot"),
    path("totals/", totals_endpoints.TotalsView.as_view(), name="totals"),
    path("views/<str:name>/checks/", check_endpoints.CheckListView.as_view(), name="checks"),
    path(_CHECK_PATH, check_endpoints.CheckDetailView.as_view(), name="check"),
    path(f"{_CHECK_PATH}waive/", check_endpoints.WaiveCheckView.as_view(), name="waive-check"),
    path(f"{_CHECK_PATH}accept/", check_endpoints.AcceptCheckView.as_view(), name="accept-check"),
    path("views/<str:name>/check-results/", check_endpoints.CheckResultListView.as_view(), name="check-results"),
    path("views/<str:name>/changed-rows/", view_endpoints.ChangeSampleListView.as_view(), name="changed-rows"),
    path("views/<str:name>/explanation/", view_endpoints.ViewExplanationView.as_view(), name="explanation"),
    path("schema/", openapi.SchemaView.as_view(), name="schema"),
    *_docs,
    re_path(r"^[\s\S]*/$", NotFoundView.as_view()),
    re_path(r"^[\s\S]+$", MissingSlashView.as_view()),
]

urlpatterns = [path("v1/", include(_v1))]
