"""Runs the programs of a server as the account of its folder."""

import os
import subprocess
import sys
from collections.abc import Sequence

from embedded import unprivileged_launcher
from embedded.server_folder import ServerFolder

_INHERITED_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}


def run_program(
    server_folder: ServerFolder, program: Sequence[str], lock: int, *, detach: bool = False, reads: Sequence[str] = ()
) -> int:
    """Run a program as the folder's account. It inherits the lock and writes to the log.

    The account can also read the folders `reads`, even if their parent folders are closed to it.
    """
    options = ["--detach"] if detach else []
    if os.geteuid() == 0:
        account = server_folder.account
        options += ["--user", f"{account.uid}:{account.gid}:{account.name}"]
        options += [f"--readable-path={path}" for path in (program[0], str(server_folder.path), *reads)]
    log = os.open(server_folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(log, server_folder.account.uid, server_folder.account.gid)
        return subprocess.run(  # noqa: S603  # trusted programs
            [sys.executable, "-I", "-S", unprivileged_launcher.__file__, *options, "--", *program],
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**_INHERITED_ENVIRONMENT, "LC_ALL": "C"},
            check=False,
        ).returncode
    finally:
        os.close(log)
