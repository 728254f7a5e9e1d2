"""URLs of the admin pages."""

from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.urls import reverse


def run(site: AdminSite, run_id: str) -> str:
    return reverse("admin:seeder_run_timeline", kwargs={"run_id": run_id}, current_app=site.name)


def view(site: AdminSite, table_name: str) -> str:
    """Return the URL of a view's page.

    The name is a parameter, because a quoted name may contain slashes and dots.
    """
    return f"{reverse('admin:seeder_view', current_app=site.name)}?{urlencode({'table': table_name})}"


def drift(site: AdminSite, base: int, compare: int) -> str:
    query = urlencode({"base": base, "compare": compare})
    return f"{reverse('admin:seeder_drift', current_app=site.name)}?{query}"
