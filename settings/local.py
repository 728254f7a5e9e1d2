"""Settings for a checkout, and the default of manage.py.

The database is an embedded PostgreSQL with public records, unless DB_* names a server.
"""

from settings.base import *  # noqa: F403  # settings extend another module
from settings.base import CHECKOUT, INSTALLED_APPS, database_from_environment, has_database_variables

DEBUG = True
SECRET_KEY = "local: guards nothing"  # noqa: S105  # only for local use
INSTALLED_APPS = [*INSTALLED_APPS, "data_pipeline.pipelines", "embedded", "demo"]

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
DATA_PIPELINE = {"DIALECT_FOLDERS": [str(CHECKOUT / "demo" / "dialects")]}
EMBEDDED_OBJECT_STORAGE = CHECKOUT / "var" / "object-storage"  # the folder of the S3 server
