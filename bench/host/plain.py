"""A project that only refreshes with the app.

The DB_* variables name its server, as in production.
"""

from settings.base import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.base import database_from_environment

SECRET_KEY = "bench: not a secret"  # noqa: S105  # only for the benchmark
DATABASES = {"default": database_from_environment()}
