"""The monitoring pages and read-only lists in the host's AdminSite.

Models are registered with the default site; nothing of the site is replaced.
"""

from seeder.admin import history_admin, job_status_admin, monitoring_admin, run_admin, snapshot_admin

__all__ = ["history_admin", "job_status_admin", "monitoring_admin", "run_admin", "snapshot_admin"]
