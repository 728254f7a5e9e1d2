"""The monitoring pages and read-only lists in the host's AdminSite.

Models are registered with the default site; nothing of the site is replaced.
"""

from seeder.admin import monitoring_admin, report_lists

__all__ = ["monitoring_admin", "report_lists"]
