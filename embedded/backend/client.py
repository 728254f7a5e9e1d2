"""`manage.py dbshell`."""

from collections.abc import Mapping
from typing import Any

from django.db.backends.postgresql.client import DatabaseClient as PostgresqlClient

from embedded.backend.options import located
from embedded.server import psql_program


class DatabaseClient(PostgresqlClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: Mapping[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        arguments, environment = super().settings_to_cmd_args_env(dict(located(settings_dict)), parameters)
        return [psql_program(), *arguments[1:]], environment
