"""PgBouncer before the server of the test. A test that needs it is skipped if it is not installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwuid

import pytest
from django.db import connection

from tests.polling import eventually
from tests.ports import free_port, is_listening
from tests.server_proxy import proxy_to_server

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_UNPRIVILEGED = 65534  # uid; PgBouncer refuses to run as root


@contextmanager
def pgbouncer(pool_mode: str, *, login: str = "", **settings: str | int) -> Iterator[dict[str, str]]:
    """Run PgBouncer with a pool mode. Yield DB_* variables that lead through it to the same role, or to `login`."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    port, server = free_port(), connection.get_connection_params()
    with tempfile.TemporaryDirectory() as name, proxy_to_server() as (host, server_port):
        folder = Path(name)
        folder.chmod(0o755)
        parameters = {"user": login or server.get("user"), "password": server.get("password")}
        login = " ".join(f"{key}={value}" for key, value in parameters.items() if value)
        options = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": pool_mode,
            "server_tls_sslmode": "disable",
            **settings,
        }
        lines = [f"[databases]\n* = host={host} port={server_port} {login}\n[pgbouncer]"]
        lines += [f"{option} = {value}" for option, value in options.items()]
        (folder / "pgbouncer.ini").write_text("\n".join(lines))
        account = ["--user", getpwuid(_UNPRIVILEGED).pw_name] if os.geteuid() == 0 else []
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([PROGRAM, *account, folder / "pgbouncer.ini"], stdout=log, stderr=log)
        try:
            eventually(lambda: is_listening(port), describe_failure=(folder / "log").read_text)
            yield {"DB_HOST": "127.0.0.1", "DB_PORT": str(port), "PGSSLMODE": "disable"}
        finally:
            process.kill()
            process.wait()
