"""Settings for django-q2, for the host's settings to import. Does not import Django."""

from typing import Any

# The queue is in the database that holds the history: no further server, one backup. `manage.py check` verifies the
# values that seeder depends on.
Q_CLUSTER: dict[str, Any] = {
    "name": "seeder",
    "orm": "default",
    "workers": 2,
    "poll": 1,
    "bulk": 1,
    "queue_limit": 1,  # a task that a cluster has fetched but not started is not available to other clusters
    "timeout": 4 * 3600,
    "retry": 4 * 3600 + 1800,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 50,
    "guard_cycle": 0.5,
    "save_limit": 1000,
}
