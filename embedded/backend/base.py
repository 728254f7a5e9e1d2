"""ENGINE = "embedded.backend": Django's PostgreSQL engine with a server that starts on demand."""

from typing import Any

import psycopg
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresqlWrapper

from embedded.backend.client import DatabaseClient
from embedded.backend.server_options import running_server
from embedded.errors import EmbeddedError
from embedded.server import Server


class DatabaseWrapper(PostgresqlWrapper):
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters. Each new connection asks for them, so it restarts a killed server."""
        self._server = server = self._running_server()
        return {"user": server.user, **super().get_connection_params(), **_address(server)}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and try once more if the server stops meanwhile."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            successor = self._running_server()
            if successor.pid == self._server.pid:
                raise
            return super().get_new_connection({**conn_params, **_address(successor)})

    def _running_server(self) -> Server:
        try:
            return running_server(self.settings_dict)
        except EmbeddedError as error:
            raise psycopg.OperationalError(str(error)) from error


def _address(server: Server) -> dict[str, Any]:
    return {"host": str(server.socket_folder), "port": server.port}
