"""The monitoring pages, read-only lists and pages of manifests in the host's AdminSite.

Models are registered with the default site; nothing of the site is replaced.
"""

from seeder.admin import (
    canned_report_lists,
    check_lists,
    manifest_lists,
    monitoring_admin,
    notification_lists,
    report_lists,
    run_lists,
)

__all__ = [
    "canned_report_lists",
    "check_lists",
    "manifest_lists",
    "monitoring_admin",
    "notification_lists",
    "report_lists",
    "run_lists",
]
