"""ENGINE = "embedded.backend": Django's PostgreSQL engine, whose server is there when it is needed."""

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
        """Django asks for these at every new connection, so a server that was killed is started again by the next."""
        self._server = server = self._running_server()
        return {"user": server.user, **super().get_connection_params(), **_address(server)}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A server that dies just now still picks up the phone; its successor gets a second call."""
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
