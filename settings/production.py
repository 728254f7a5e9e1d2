"""A production server. Refuses to start without a secret key of its own; the database is the one that DB_* names."""

import sys

from django.core.exceptions import ImproperlyConfigured

from settings.base import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.base import database_from_environment, env

DEBUG = False
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="")
# What Django itself finds fault with (security.W009). It signs sessions and what is queued: who knows it can run code.
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure-"):
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY has to be a secret of at least 50 characters, made for this deployment alone:"
        " python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
DATABASES = {"default": {**database_from_environment(), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# To stderr, which is where a container's log is read. On a terminal a command's own output says it already.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "event": {
            "style": "{",
            "format": "{message}"  # complete in itself
            if env.str("SEEDER_LOG_FORMAT", default="") == "json"
            else "{asctime} {levelname} {message}",
        },
        "other": {"style": "{", "format": "{asctime} {levelname} {name} {message}"},
    },
    "handlers": {
        "events": {"class": "logging.StreamHandler", "formatter": "event"},
        "others": {"class": "logging.StreamHandler", "formatter": "other"},
    },
    "loggers": {"seeder": {"handlers": [] if sys.stderr.isatty() else ["events"], "level": "INFO", "propagate": False}},
    "root": {"handlers": ["others"], "level": "WARNING"},
}

# Everything by TLS, be it ended by a proxy that says so in this header and lets nobody else say it.
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^api/seeder/health/"]  # asked for by what stands beside us, without TLS; tells words only
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
