"""URLs of the admin pages."""

from django.contrib.admin import AdminSite
from django.urls import reverse


def run(site: AdminSite, run_id: str) -> str:
    return reverse("admin:seeder_run_timeline", kwargs={"run_id": run_id}, current_app=site.name)


def view(site: AdminSite, table_name: str) -> str:
    """Return the URL of a view's page.

    The name is a parameter, because a quoted name may contain slashes and dots.
    """
    return reverse("admin:seeder_view", query={"table": table_name}, current_app=site.name)


def view_checks(site: AdminSite, table_name: str, database: str) -> str:
    query = {"table": table_name, "database": database}
    return reverse("admin:seeder_view_checks", query=query, current_app=site.name)


def data_check(site: AdminSite, check_id: int) -> str:
    return reverse("admin:seeder_datacheck_change", args=[check_id], current_app=site.name)


def drift(site: AdminSite, base: int, compare: int) -> str:
    return reverse("admin:seeder_drift", query={"base": base, "compare": compare}, current_app=site.name)


def canned_report(site: AdminSite, report_id: int) -> str:
    return reverse("admin:seeder_cannedreport_change", args=[report_id], current_app=site.name)
