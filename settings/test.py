"""The tests: a PostgreSQL of their own, so that they may be rough with it, or the server that DB_* names."""

import os

from embedded import binaries
from settings.local import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.local import CHECKOUT, DATABASES, Q_CLUSTER

if "EMBEDDED" in DATABASES["default"]:
    # What a crash of the machine would lose here is nothing that anybody wants to keep.
    DATABASES["default"]["EMBEDDED"] = {
        # One server per major version, and per worker of pytest-xdist: tests create roles and restart servers.
        "FOLDER": CHECKOUT / "var" / f"postgres-test-{binaries.major()}{os.environ.get('PYTEST_XDIST_WORKER', '')}",
        "SETTINGS": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
    }

# A second database, for views that live elsewhere than the history.
DATABASES["archive"] = {**DATABASES["default"], "NAME": "archive"}

# As quick as it can be.
Q_CLUSTER = {**Q_CLUSTER, "name": "seeder-test", "workers": 1, "poll": 0.1, "timeout": 60, "retry": 120}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Static files from where they are, as for a newcomer: nobody has collected them.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
