"""Runs a PostgreSQL program as an unprivileged account, detached if it should outlive the caller.

    python -I -S unprivileged_launcher.py [--detach] [--user UID:GID:NAME --readable-path PATH…] -- PROGRAM ARGUMENT…

Root often works in folders that are closed to other accounts, but PostgreSQL's account has to reach its binaries and
data there. Opening these folders would expose them. So the program gets an ambient capability, if it needs one: to read
and search everywhere or, if this is not allowed in the container or not sufficient, to override permissions. Child
processes keep it.

The script uses only the standard library, because other packages may be readable for root only.
"""

import argparse
import ctypes
import os
import sys
from collections.abc import Sequence

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2  # linux/capability.h
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP = 28, 1 << 2  # linux/prctl.h, linux/securebits.h
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--readable-path", action="append", default=[])
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    if options.detach:
        if os.fork():
            os._exit(0)
        os.setsid()
    if options.user:
        uid, gid, name = options.user.split(":", 2)
        _become_user(int(uid), int(gid), name, _required_capability(int(uid), int(gid), name, options.readable_path))
    try:
        os.execv(options.program[0], options.program)  # noqa: S606  # the purpose of this script
    except OSError as error:
        sys.exit(f"FATAL:  could not execute {options.program[0]}: {error.strerror}")


def _required_capability(uid: int, gid: int, name: str, paths: Sequence[str]) -> int | None:
    """Find the least capability with which the account reaches every path, by trying."""
    for capability in (None, _DAC_READ_SEARCH, _DAC_OVERRIDE):
        if not (child := os.fork()):
            try:
                _become_user(uid, gid, name, capability)
                os._exit(0 if all(os.access(path, os.R_OK | os.X_OK) for path in paths) else 1)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1] == 0:
            return capability
    sys.exit(f"FATAL:  the account {name} cannot reach {' and '.join(paths)}, and no capability for it is allowed here")


def _become_user(uid: int, gid: int, name: str, capability: int | None) -> None:
    """Give up root permanently, except for one capability.

    Without the secure bit, changing the user would clear all capabilities, and access(2), with which PostgreSQL checks
    its own binaries, would not count them.
    """
    if capability is not None:
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    if name.startswith("#"):
        os.setgroups([gid])
    else:
        os.initgroups(name, gid)
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        only = 1 << capability
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        effective_permitted_inheritable = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)
        _check(_libc().capset(header, effective_permitted_inheritable))
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *values: int) -> None:
    padded = (*values, 0, 0, 0, 0)[:4]
    _check(_libc().prctl(option, *(ctypes.c_ulong(value) for value in padded)))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main()
