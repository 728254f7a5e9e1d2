"""Settings of the host, independent of this checkout."""

import os

SECRET_KEY = "a secret only for tests"
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = [
    "reporting_models",
    "seeder",
    "django.contrib.admin",
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
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
ROOT_URLCONF = "reporting_models.urls"
STATIC_URL = "static/"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **{key: os.environ[f"DB_{key}"] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
# The host's own queue, with another name.
Q_CLUSTER = {
    "name": "reporting-models",
    "orm": "default",
    "workers": 1,
    "bulk": 1,
    "queue_limit": 1,
    "poll": 0.1,
    "timeout": 600,
    "retry": 900,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
}
SEEDER = {
    "MAX_WORKERS": 2,
    "DATABASES": {7: "default"},
    "AGENCY_MODEL": "reporting_models.Agency",
    "AGENCY_SCOPE": "reporting_models.agency_scope.agencies_of",
}
