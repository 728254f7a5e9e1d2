"""Settings that all deployments of this checkout share."""

from pathlib import Path
from typing import Any

import environ

from seeder import defaults

env = environ.Env()
CHECKOUT = Path(__file__).resolve().parent.parent

INSTALLED_APPS = [
    "seeder",
    "data_pipeline",
    # Without autodiscover, so that commands do not load the admin. The URLs do.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"
STATIC_URL = "static/"
STATIC_ROOT = CHECKOUT / "var" / "static"
LOGIN_URL = "admin:login"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
Q_CLUSTER = defaults.Q_CLUSTER

_DATABASE_VARIABLES = {
    "HOST": ("DB_HOST", "localhost"),
    "PORT": ("DB_PORT", "5432"),
    "NAME": ("DB_NAME", "postgres"),
    "USER": ("DB_USER", ""),
    "PASSWORD": ("DB_PASSWORD", ""),
}


def has_database_variables() -> bool:
    """Return whether the environment sets any of DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD."""
    return any(variable in env.ENVIRON for variable, _ in _DATABASE_VARIABLES.values())


def database_from_environment() -> dict[str, Any]:
    """Return the settings of the PostgreSQL server that these variables or their defaults name."""
    parameters = {key: env.str(variable, default=default) for key, (variable, default) in _DATABASE_VARIABLES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **parameters}
