"""Where the pages are, and links to them."""

from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.urls import reverse


def monitoring(site: AdminSite) -> str:
    return _place(site, "seeder_monitoring")


def run(site: AdminSite, run_id: str) -> str:
    return _place(site, "seeder_run_timeline", run_id=run_id)


def view(site: AdminSite, table_name: str) -> str:
    """The name is no part of the path: it may hold whatever a quoted name may, slashes and dots among it."""
    return f"{_place(site, 'seeder_view')}?{urlencode({'table': table_name})}"


def drift(site: AdminSite, base: int, compare: int) -> str:
    return f"{_place(site, 'seeder_drift')}?{urlencode({'base': base, 'compare': compare})}"


def listed(site: AdminSite, model: str, **narrowed: str) -> str:
    """A list of the admin, narrowed."""
    return f"{_place(site, f'seeder_{model}_changelist')}?{urlencode(narrowed)}"


def _place(site: AdminSite, name: str, **parts: str) -> str:
    return reverse(f"admin:{name}", kwargs=parts, current_app=getattr(site, "current_app", None))
