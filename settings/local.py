"""A newcomer's machine, and the default of manage.py: public records in an embedded PostgreSQL, unless DB_* names a
server."""

from settings.base import *  # noqa: F403  # Django's own way to build one settings module on another
from settings.base import CHECKOUT, INSTALLED_APPS, database_from_environment, has_database_variables

DEBUG = True
SECRET_KEY = "local: guards nothing"  # noqa: S105  # this module serves one person on one machine
INSTALLED_APPS = [*INSTALLED_APPS, "embedded", "demo"]

DATABASES = {
    "default": database_from_environment()
    if has_database_variables()
    else {
        "ENGINE": "embedded.backend",
        "NAME": "postgres",
        "EMBEDDED": {
            "FOLDER": CHECKOUT / "var" / "postgres",
            "BOOTSTRAP": [CHECKOUT / "seeder" / "postgres" / "contract.sql"],
        },
    }
}
