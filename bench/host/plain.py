"""A project that refreshes by the app and does nothing else; DB_* names its server, as in production."""

from settings.base import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.base import database_from_environment

SECRET_KEY = "bench: guards nothing"  # noqa: S105  # serves the bench alone
DATABASES = {"default": database_from_environment()}
