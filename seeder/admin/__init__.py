"""What people look at: the monitoring pages, and read-only lists of what the tables hold.

Everything is made for whatever AdminSite the host has: models are registered, nothing of the site is replaced.
"""

from seeder.admin import history, monitoring, runs, snapshots, states

__all__ = ["history", "monitoring", "runs", "snapshots", "states"]
