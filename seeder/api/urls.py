"""Where everything is, by version. What breaks a client gets a version of its own beside this one."""

from django.apps import apps
from django.urls import include, path, re_path

from seeder.api import jobs, openapi, refreshing, runs, snapshots
from seeder.api.door import Nowhere

app_name = "seeder-api"

_JOB = "jobs/<str:reportType>/<int:id>/"

# The page takes a template of the one and the scripts of the other.
_has_docs = all(map(apps.is_installed, ("drf_spectacular", "drf_spectacular_sidecar")))
_docs = [path("docs/", openapi.Docs.as_view(), name="docs")] if _has_docs else []

_v1 = [
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
    path(_JOB, jobs.OneJob.as_view(), name="job"),
    path(f"{_JOB}history/", jobs.JobHistory.as_view(), name="job-history"),
    path(f"{_JOB}refresh/", refreshing.RefreshJob.as_view(), name="refresh-job"),
    path("agencies/<str:slug>/refresh/", refreshing.RefreshAgency.as_view(), name="refresh-agency"),
    path("queue/<str:requestId>/", refreshing.QueuedRequest.as_view(), name="queued"),
    path("runs/", runs.Runs.as_view(), name="runs"),
    path("runs/<str:runId>/", runs.OneRun.as_view(), name="run"),
    path("runs/<str:runId>/history/", runs.RunRows.as_view(), name="run-history"),
    path("snapshots/", snapshots.Snapshots.as_view(), name="snapshots"),
    path("snapshots/compare/", snapshots.Comparison.as_view(), name="comparison"),
    path("snapshots/<int:id>/", snapshots.OneSnapshot.as_view(), name="snapshot"),
    path("schema/", openapi.Schema.as_view(), name="schema"),
    *_docs,
    re_path(r"^[\s\S]*/$", Nowhere.as_view()),
]

urlpatterns = [path("v1/", include(_v1))]
