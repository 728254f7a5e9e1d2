"""The index entry and the URLs of the monitoring pages."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from seeder.admin.check_result_pages import check_decision_page, view_checks_page
from seeder.admin.confirmation_pages import cancel_confirmation, refresh_confirmation
from seeder.admin.error_pages import with_error_page
from seeder.admin.explanation_page import explanation_page
from seeder.admin.freshness_link_page import freshness_link_page
from seeder.admin.freshness_page import freshness_page
from seeder.admin.monitoring_page import monitoring_page
from seeder.admin.monitoring_subpages import drift_page
from seeder.admin.mute_page import mute_page
from seeder.admin.read_only_admin import NoChangesAdmin
from seeder.admin.run_action_pages import cancel_page, retry_page
from seeder.admin.run_page import run_page
from seeder.admin.view_page import view_page
from seeder.models import JobStatus
from seeder.services import freshness_links as links
from seeder.services.data_checks import check_access
from seeder.services.notifications import mutes

_PERMISSION = "seeder.view_jobstatus"
_RUNS = "seeder.view_runhistory"
_CHECKS = check_access.VIEW_PERMISSION


class Monitoring(JobStatus):
    """A proxy model, because an entry in the admin index needs one."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = verbose_name_plural = gettext_lazy("monitoring")


@admin.register(Monitoring)
class MonitoringAdmin(NoChangesAdmin):
    def has_view_permission(self, request: HttpRequest, _: Any = None) -> bool:
        return request.user.has_perm(_PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        landing_page = self._admin_page(monitoring_page, _PERMISSION)
        return [
            path("", landing_page, name="seeder_monitoring_changelist"),
            path("", landing_page, name="seeder_monitoring"),
            path("agency/<path:agency>/", landing_page, name="seeder_monitoring_agency"),
            path("refresh/", self._admin_page(refresh_confirmation, _PERMISSION), name="seeder_refresh"),
            path("cancel/", self._admin_page(cancel_confirmation, _PERMISSION), name="seeder_cancel"),
            path("run/<path:run_id>/retry/", self._admin_page(retry_page, _RUNS), name="seeder_run_retry"),
            path("run/<path:run_id>/cancel/", self._admin_page(cancel_page, _RUNS), name="seeder_run_cancel"),
            path("run/<path:run_id>/", self._admin_page(run_page, _RUNS), name="seeder_run_timeline"),
            path("view/", self._admin_page(view_page, _PERMISSION), name="seeder_view"),
            path("view/explanation/", self._admin_page(explanation_page, _PERMISSION), name="seeder_view_explanation"),
            path("view/checks/", self._admin_page(view_checks_page, _CHECKS), name="seeder_view_checks"),
            path("view/checks/decide/", self._admin_page(check_decision_page, _CHECKS), name="seeder_check_decision"),
            path("view/mute/", self._admin_page(mute_page, mutes.PERMISSION), name="seeder_view_mute"),
            path("freshness/", self._admin_page(freshness_page, _PERMISSION), name="seeder_freshness"),
            path(
                "freshness/link/", self._admin_page(freshness_link_page, links.PERMISSION), name="seeder_freshness_link"
            ),
            path("drift/", self._admin_page(drift_page, "seeder.view_releasesnapshot"), name="seeder_drift"),
        ]

    def _admin_page(self, page: Callable[..., HttpResponse], permission: str) -> Any:
        """Wrap a page with the admin login, the permission and error pages."""

        def render_page(request: HttpRequest, **path_arguments: str) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            request.current_app = self.admin_site.name  # as Django's own pages do
            return page(request, self.admin_site, **path_arguments)

        view = with_error_page(self.admin_site, require_http_methods(["GET", "HEAD", "POST"])(render_page))
        # A queued request must be committed before its message is dispatched, even with ATOMIC_REQUESTS.
        return transaction.non_atomic_requests(self.admin_site.admin_view(view))
