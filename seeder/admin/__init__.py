"""What people look at: the monitoring pages, and read-only lists of what the tables hold.

Everything is made for whatever AdminSite the host has: models are registered, nothing of the site is replaced.
"""

from seeder.admin import history_admin, job_status_admin, monitoring_admin, run_admin, snapshot_admin

__all__ = ["history_admin", "job_status_admin", "monitoring_admin", "run_admin", "snapshot_admin"]
