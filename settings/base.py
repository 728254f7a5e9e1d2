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


def shared_server() -> dict[str, Any] | None:
    """Django's settings for the PostgreSQL server that DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD name; None
    when not one of them is set, not even to nothing."""
    if not any(variable in env.ENVIRON for variable, _ in _SERVER_VARIABLES.values()):
        return None
    server = {key: env.str(variable, default=default) for key, (variable, default) in _SERVER_VARIABLES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **server}
