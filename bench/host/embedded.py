"""The same project on an embedded server, like a first installation."""

import os

from bench.host.plain import *  # noqa: F403  # Django's own way to build one settings module on another
from bench.host.plain import INSTALLED_APPS
from bench.server import FOLDER, SETTINGS

INSTALLED_APPS = [*INSTALLED_APPS, "embedded"]
DATABASES = {
    "default": {
        "ENGINE": "embedded.backend",
        "NAME": os.environ["BENCH_DATABASE"],
        "EMBEDDED": {"FOLDER": FOLDER, "SETTINGS": SETTINGS},
    }
}
