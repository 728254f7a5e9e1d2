"""A production server. Refuses to start without DJANGO_SECRET_KEY; the database is the one that DB_* names."""

from settings.base import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.base import env, shared_server

DEBUG = False
SECRET_KEY = env.str("DJANGO_SECRET_KEY")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
DATABASES = {"default": shared_server()}
