"""Settings for a production server, whose database DB_* names.

Raises `ImproperlyConfigured` without a secret key.
"""

import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from settings.base import *  # noqa: F403  # settings extend another module
from settings.base import database_from_environment, env

DEBUG = False
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="")
# The condition of Django's check security.W009. The key signs sessions and queued tasks: a client with it can run code.
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure-"):
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY must be a secret of at least 50 characters for this deployment only. Create one with:"
        " python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
DATABASES = {"default": {**database_from_environment(), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# A JSON message is a complete document.
_EVENT_FORMATS = {"json": "{message}", "text": "{asctime} {levelname} {message}"}


def _event_formatter(variable: str) -> dict[str, str]:
    return {"style": "{", "format": _EVENT_FORMATS.get(env.str(variable, default="text"), _EVENT_FORMATS["text"])}


def _event_logger(handler: str) -> dict[str, Any]:
    return {"handlers": [] if sys.stderr.isatty() else [handler], "level": "INFO", "propagate": False}


# Logs go to stderr, as usual in containers. On a terminal, events would repeat the command's output.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "refreshing": _event_formatter("SEEDER_LOG_FORMAT"),
        "loading": _event_formatter("DATA_PIPELINE_LOG_FORMAT"),
        "other": {"style": "{", "format": "{asctime} {levelname} {name} {message}"},
    },
    "handlers": {
        "refreshing": {"class": "logging.StreamHandler", "formatter": "refreshing"},
        "loading": {"class": "logging.StreamHandler", "formatter": "loading"},
        "others": {"class": "logging.StreamHandler", "formatter": "other"},
    },
    "loggers": {"seeder": _event_logger("refreshing"), "data_pipeline": _event_logger("loading")},
    "root": {"handlers": ["others"], "level": "WARNING"},
}

# TLS only. A proxy that terminates it must set this header, and remove it from requests of clients.
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^api/seeder/health/"]  # local probes use no TLS; the answer is not confidential
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
