"""URLs of the admin pages."""

from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.urls import reverse


def monitoring(site: AdminSite) -> str:
    return _reverse(site, "seeder_monitoring")


def run(site: AdminSite, run_id: str) -> str:
    return _reverse(site, "seeder_run_timeline", run_id=run_id)


def view(site: AdminSite, table_name: str) -> str:
    """Return the URL of a view's page.

    The name is a parameter, because a quoted name may contain slashes and dots.
    """
    return f"{_reverse(site, 'seeder_view')}?{urlencode({'table': table_name})}"


def drift(site: AdminSite, base: int, compare: int) -> str:
    return f"{_reverse(site, 'seeder_drift')}?{urlencode({'base': base, 'compare': compare})}"


def changelist(site: AdminSite, model: str, **filters: str) -> str:
    """Return the URL of a filtered list."""
    return f"{_reverse(site, f'seeder_{model}_changelist')}?{urlencode(filters)}"


def _reverse(site: AdminSite, name: str, **kwargs: str) -> str:
    return reverse(f"admin:{name}", kwargs=kwargs, current_app=getattr(site, "current_app", None))
