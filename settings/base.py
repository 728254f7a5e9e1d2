"""What every deployment of this checkout has in common."""

from pathlib import Path
from typing import Any

import environ

env = environ.Env()
CHECKOUT = Path(__file__).resolve().parent.parent

INSTALLED_APPS = ["seeder"]
USE_TZ = True
TIME_ZONE = "UTC"

_SERVER_VARIABLES = {
    "HOST": ("DB_HOST", "localhost"),
    "PORT": ("DB_PORT", "5432"),
    "NAME": ("DB_NAME", "postgres"),
    "USER": ("DB_USER", ""),
    "PASSWORD": ("DB_PASSWORD", ""),
}


def names_a_server() -> bool:
    """Whether the environment sets any of DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD, be it to nothing."""
    return any(variable in env.ENVIRON for variable, _ in _SERVER_VARIABLES.values())


def shared_server() -> dict[str, Any]:
    """Django's settings for the PostgreSQL server that these variables name, or else their defaults."""
    server = {key: env.str(variable, default=default) for key, (variable, default) in _SERVER_VARIABLES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **server}
