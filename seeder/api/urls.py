"""Where everything is, by version. What breaks a client gets a version of its own beside this one."""

from django.apps import apps
from django.urls import include, path, re_path

from seeder.api import jobs, openapi, refreshing, runs, snapshots
from seeder.api.door import NotFoundView

app_name = "seeder-api"

_JOB_PATH = "jobs/<str:reportType>/<int:id>/"

# The page takes a template of the one and the scripts of the other.
_has_docs = all(map(apps.is_installed, ("drf_spectacular", "drf_spectacular_sidecar")))
_docs = [path("docs/", openapi.DocsView.as_view(), name="docs")] if _has_docs else []

_v1 = [
    path("jobs/", jobs.JobListView.as_view(), name="jobs"),
    path(_JOB_PATH, jobs.JobDetailView.as_view(), name="job"),
    path(f"{_JOB_PATH}history/", jobs.JobHistoryView.as_view(), name="job-history"),
    path(f"{_JOB_PATH}refresh/", refreshing.RefreshJobView.as_view(), name="refresh-job"),
    path("agencies/<str:slug>/refresh/", refreshing.RefreshAgencyView.as_view(), name="refresh-agency"),
    path("queue/<str:requestId>/", refreshing.RequestStatusView.as_view(), name="queued"),
    path("runs/", runs.RunListView.as_view(), name="runs"),
    path("runs/<str:runId>/", runs.RunDetailView.as_view(), name="run"),
    path("runs/<str:runId>/history/", runs.RunHistoryView.as_view(), name="run-history"),
    path("snapshots/", snapshots.SnapshotListView.as_view(), name="snapshots"),
    path("snapshots/compare/", snapshots.SnapshotComparisonView.as_view(), name="comparison"),
    path("snapshots/<int:id>/", snapshots.SnapshotDetailView.as_view(), name="snapshot"),
    path("schema/", openapi.SchemaView.as_view(), name="schema"),
    *_docs,
    re_path(r"^[\s\S]*/$", NotFoundView.as_view()),
]

urlpatterns = [path("v1/", include(_v1))]
