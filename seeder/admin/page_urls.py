"""URLs of the admin pages."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string


def monitoring(site: AdminSite, agency: str | None, query: Mapping[str, str]) -> str:
    """Return the URL of the monitoring page, or of that of an agency."""
    if agency is None:
        return reverse("admin:seeder_monitoring", query=query, current_app=site.name)
    return reverse("admin:seeder_monitoring_agency", args=[agency], query=query, current_app=site.name)


def run(site: AdminSite, run_id: str) -> str:
    return reverse("admin:seeder_run_timeline", kwargs={"run_id": run_id}, current_app=site.name)


def view(site: AdminSite, table_name: str) -> str:
    """Return the URL of a view's page.

    The name is a parameter, because a quoted name may contain slashes and dots.
    """
    return views(site)(table_name)


def views(site: AdminSite) -> Callable[[str], str]:
    """Return a function that returns the URLs of views' pages. It resolves them once for all."""
    page = reverse("admin:seeder_view", current_app=site.name)
    return lambda table_name: f"{page}?{urlencode({'table': table_name})}"


def load(request: HttpRequest, load_id: int) -> str | None:
    """Return the page of a load, if an installed app has one that the user may see."""
    paths = (path for app in apps.get_app_configs() for path in getattr(app, "load_urls", ()))
    return next((url for path in paths if (url := import_string(path)(request, load_id))), None)


def view_checks(site: AdminSite, table_name: str, database: str) -> str:
    query = {"table": table_name, "database": database}
    return reverse("admin:seeder_view_checks", query=query, current_app=site.name)


def data_check(site: AdminSite, check_id: int) -> str:
    return reverse("admin:seeder_datacheck_change", args=[check_id], current_app=site.name)


def drift(site: AdminSite, base: int, compare: int) -> str:
    return reverse("admin:seeder_drift", query={"base": base, "compare": compare}, current_app=site.name)


def canned_report(site: AdminSite, report_id: int) -> str:
    return reverse("admin:seeder_cannedreport_change", args=[report_id], current_app=site.name)
