"""The marketplace of the demo: an agency whose reports read the tables of the pipelines."""

from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import transaction

from demo import manifests
from demo.agencies import DEMO_FOLDER, read_catalogue
from demo.errors import DemoError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

DATA = DEMO_FOLDER / "market"


def install(connection: "BaseDatabaseWrapper") -> int:
    """Create the tables of the pipelines and the view of them. Return the number of written manifests.

    Raises `DemoError` if the contract's tables are missing.
    """
    call_command("migrate", "data_pipeline_pipelines", database=connection.alias, verbosity=0)
    with transaction.atomic(using=connection.alias), connection.cursor() as django_cursor:
        cursor = django_cursor.cursor  # psycopg's cursor: Django's debug wrapper accepts no composed statement
        if missing := manifests.missing_tables(cursor):
            raise DemoError(f"There is no table {missing[0]}: install the reporting schema first, then load the demo.")
        cursor.execute((DEMO_FOLDER / "market.sql").read_text(encoding="utf-8"))
        return manifests.upsert_manifests(cursor, read_catalogue(DEMO_FOLDER / "market.toml"))
