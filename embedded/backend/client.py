"""`manage.py dbshell`."""

from collections.abc import Mapping
from typing import Any

from django.db.backends.postgresql.client import DatabaseClient as PostgresqlClient

from embedded.backend.server_options import with_server_address
from embedded.server import psql_program


class DatabaseClient(PostgresqlClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: Mapping[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        arguments, environment = super().settings_to_cmd_args_env(dict(with_server_address(settings_dict)), parameters)
        return [psql_program(), *arguments[1:]], environment
