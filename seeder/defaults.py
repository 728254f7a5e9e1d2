"""Settings of another app as this one needs them, for the host's settings to import. Imports no Django."""

from typing import Any

# The queue of django-q2 in the database that holds the history: no further server, and what is queued is in the same
# backup. Some of these have to be just so, which `manage.py check` looks after.
Q_CLUSTER: dict[str, Any] = {
    "name": "seeder",
    "orm": "default",
    "workers": 2,
    "poll": 1,
    "bulk": 1,
    "queue_limit": 1,  # what a worker has taken and not begun, no other cluster can take
    "timeout": 4 * 3600,
    "retry": 4 * 3600 + 1800,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 50,
    "guard_cycle": 0.5,
    "save_limit": 1000,
}
