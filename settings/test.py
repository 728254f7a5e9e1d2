"""Settings for the tests: an embedded PostgreSQL of their own, or the server that DB_* names."""

import os

from embedded import binaries
from settings.local import *  # noqa: F403  # settings extend another module
from settings.local import CHECKOUT, DATA_PIPELINE, DATABASES, Q_CLUSTER

if "EMBEDDED" in DATABASES["default"]:
    # A crash of the machine may lose this data.
    DATABASES["default"]["EMBEDDED"] = {
        # One server per major version, and per worker of pytest-xdist: tests create roles and restart servers.
        "FOLDER": CHECKOUT / "var" / f"postgres-test-{binaries.major()}{os.environ.get('PYTEST_XDIST_WORKER', '')}",
        "SETTINGS": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    }

# A second database, for views outside the database of the history.
DATABASES["archive"] = {**DATABASES["default"], "NAME": "archive"}

# Fast settings.
Q_CLUSTER = {**Q_CLUSTER, "name": "seeder-test", "workers": 1, "poll": 0.1, "timeout": 60, "retry": 120}
if redis_url := os.environ.get("TEST_QUEUE_REDIS"):  # clusters of tests with the other broker
    del Q_CLUSTER["orm"]
    Q_CLUSTER["redis"] = redis_url
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Serve static files from the apps, without collectstatic.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

# Without the dialects of the demo, whose tables do not exist.
DATA_PIPELINE = {**DATA_PIPELINE, "DIALECT_FOLDERS": []}
EMBEDDED_OBJECT_STORAGE = CHECKOUT / "var" / "object-storage-test"
