"""Puts the pages into the admin: a line of its index, and their places below that."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from seeder.admin.answers import answered
from seeder.admin.lists import LookedAt
from seeder.admin.overview import overview
from seeder.admin.run_page import run_page
from seeder.admin.view_page import drift_page, view_page
from seeder.models import JobStatus

Page = Callable[..., HttpResponse]


class Monitoring(JobStatus):
    """No table: what a line of the index is for has to be a model."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = verbose_name_plural = "monitoring"


@admin.register(Monitoring)
class MonitoringAdmin(LookedAt):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("seeder.view_jobstatus")

    def has_view_permission(self, request: HttpRequest, _: Any = None) -> bool:
        return request.user.has_perm("seeder.view_jobstatus")

    def get_urls(self) -> list[URLPattern]:
        first = self._page(overview, "seeder.view_jobstatus")
        return [
            path("", first, name="seeder_monitoring_changelist"),
            path("", first, name="seeder_monitoring"),
            path("run/<path:run_id>/", self._page(run_page, "seeder.view_runhistory"), name="seeder_run_timeline"),
            path("view/", self._page(view_page, "seeder.view_jobstatus"), name="seeder_view"),
            path("drift/", self._page(drift_page, "seeder.view_releasesnapshot"), name="seeder_drift"),
        ]

    def _page(self, page: Page, permission: str) -> Page:
        """For who is logged in to the admin and may see it."""

        def show(request: HttpRequest, **asked: str) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            request.current_app = self.admin_site.name  # as Django's own pages do
            return answered(request, self.admin_site, partial(page, request, self.admin_site, **asked))

        # What is asked for is committed before the queue is told of it, also where the host wants a transaction around
        # each request.
        shown = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(show))
        return transaction.non_atomic_requests(shown)
