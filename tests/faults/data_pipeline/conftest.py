"""The tables of the loading lane on the server of the fault tests."""

import pytest
from django.core.management import call_command

from tests.conftest import sql


@pytest.fixture
def load_tables(contract_tables: None) -> None:
    """The tables of the loading lane, empty, and the schema of the tables that are loaded."""
    call_command("migrate", "data_pipeline", verbosity=0)
    sql("CREATE SCHEMA landing")
