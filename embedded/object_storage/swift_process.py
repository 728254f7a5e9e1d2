"""The server process: `PYTHON swift_process.py FOLDER --idle-after SECONDS`, with Swift's Python.

Swift's four servers run in one process, so that a start takes a second. The S3 interface is the only one that clients
use; the others keep accounts, containers and objects, and listen on local ports as well. Swift's cache of containers is
a dictionary here instead of memcached.

The server is ready as soon as `server.json` exists and server.lock is held. Before it stops, it removes the file.
"""

import argparse
import fcntl
import json
import logging
import os
import secrets
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_STORAGE = ("account", "container", "object")
_PROXY = "proxy"
_ACCESS_KEY_ID = "embedded:embedded"  # tempauth's account and user
_DEFAULTS = """
[DEFAULT]
swift_dir = {folder}/config
devices = {folder}
mount_check = false
disable_fallocate = true
log_level = WARNING
log_custom_handlers = __main__.log_to_stderr
"""
_STORAGE_CONFIG = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
_PROXY_CONFIG = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = __main__:cache_filter
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_embedded_embedded = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
"""
_SWIFT_CONFIG = """
[swift-hash]
swift_hash_path_prefix = embedded
swift_hash_path_suffix = embedded
[storage-policy:0]
name = only
default = yes
"""

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class LocalCache:
    """The methods of Swift's memcached client, for one process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Any, float]] = {}

    def get(self, key: str, *_: Any, **__: Any) -> Any:
        value, expires_at = self._values.get(key, (None, 0.0))
        return value if time.monotonic() < expires_at else None

    def set(self, key: str, value: Any, *_: Any, time: float = 0, **__: Any) -> None:
        self._values[key] = value, _now() + (time or float("inf"))

    def delete(self, key: str, *_: Any, **__: Any) -> None:
        self._values.pop(key, None)

    def incr(self, key: str, delta: int = 1, time: float = 0, **_: Any) -> int:
        value = int(self.get(key) or 0) + delta
        self.set(key, value, time=time)
        return value


_now = time.monotonic
_requests = 0


def cache_filter(_: Mapping[str, str], **__: str) -> Callable[[Application], Application]:
    """Return a filter that gives the cache to each request, and counts them."""
    cache = LocalCache()

    def with_cache(application: Application) -> Application:
        def call(environment: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            global _requests  # noqa: PLW0603  # one server in this process
            _requests += 1
            environment["swift.cache"] = cache
            return application(environment, start_response)

        return call

    return with_cache


def log_to_stderr(*arguments: Any, **_: Any) -> None:
    """Add a handler to one of Swift's loggers. Without a handler they write to the system's log."""
    logger: logging.Logger = arguments[5]
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s"))
    logger.addHandler(handler)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle-after", type=float, required=True, help="seconds without a user and a request")
    options = parser.parse_args()
    folder: Path = options.folder
    os.chdir(folder / "data")  # proves that this process is the server of the folder
    sys.pycache_prefix = str(folder / "pycache")  # the account may not be allowed to write into the environment
    warnings.simplefilter("ignore")
    port = _serve(folder, _last_facts(folder))
    signal.signal(signal.SIGTERM, lambda *_: _stop(folder))
    print(f"listening on port {port}", flush=True)  # noqa: T201  # the log
    _stop_when_idle(folder, options.idle_after)


def _last_facts(folder: Path) -> Mapping[str, Any]:
    """Return the port and the secret of the last start, which stay the same if possible."""
    with suppress(FileNotFoundError, ValueError):
        facts: Mapping[str, Any] = json.loads((folder / "last.json").read_text())
        return facts
    return {"port": 0, "secret_access_key": secrets.token_hex(16)}


def _serve(folder: Path, last: Mapping[str, Any]) -> int:
    """Listen and begin to serve. Return the port."""
    import eventlet
    from eventlet.wsgi import server as serve
    from swift.common import utils
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.wsgi import loadapp

    vars(os)["fsync"] = lambda _: None  # a crash of the machine may lose this data
    eventlet.hubs.use_hub(utils.get_hub())
    sockets = {name: eventlet.listen(("127.0.0.1", 0)) for name in _STORAGE}
    sockets[_PROXY] = _listen(eventlet, last["port"])
    ports = {name: socket.getsockname()[1] for name, socket in sockets.items()}
    _write_config(folder / "config", ports, secret=last["secret_access_key"])
    applications = {name: loadapp(str(folder / "config" / f"{name}.conf"), {"log_name": name}) for name in sockets}
    for name, application in applications.items():
        eventlet.spawn(
            serve,
            sockets[name],
            application,
            utils.NullLogger(),
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,
            url_length_limit=8192,
        )
    facts = {
        "pid": os.getpid(),
        "port": ports[_PROXY],
        "access_key_id": _ACCESS_KEY_ID,
        "secret_access_key": last["secret_access_key"],
    }
    new = folder / "server.new"
    new.unlink(missing_ok=True)
    new.touch(0o600)
    new.write_text(json.dumps(facts))
    new.replace(folder / "server.json")
    return int(ports[_PROXY])


def _listen(eventlet: Any, port: int) -> Any:
    """Listen on a port, or on another one if it is taken."""
    try:
        return eventlet.listen(("127.0.0.1", port))
    except OSError:
        return eventlet.listen(("127.0.0.1", 0))


def _write_config(folder: Path, ports: Mapping[str, int], *, secret: str) -> None:
    """Write the files of Swift's configuration: one disk for each kind, which is the folder `data`."""
    from swift.common import utils
    from swift.common.ring import RingBuilder

    folder.mkdir(mode=0o700, exist_ok=True)
    defaults = _DEFAULTS.format(folder=folder.parent)
    (folder / "swift.conf").write_text(_SWIFT_CONFIG)
    (folder / "proxy.conf").write_text(defaults + _PROXY_CONFIG.format(secret=secret))
    utils.set_swift_dir(str(folder))
    for name in _STORAGE:
        (folder / f"{name}.conf").write_text(defaults + _STORAGE_CONFIG.format(name=name))
        placement = RingBuilder(0, 1, 1)
        disk = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": ports[name], "device": "data", "weight": 1}
        placement.add_dev(disk)
        placement.rebalance()
        placement.get_ring().save(str(folder / f"{name}.ring.gz"))


def _stop_when_idle(folder: Path, idle_after: float) -> None:
    """Stop when no process has used the server, and no request has come, for this number of seconds."""
    import eventlet

    while True:
        before = _requests
        eventlet.sleep(idle_after)
        if _requests == before and _lock_out_users(folder):
            _stop(folder)


def _lock_out_users(folder: Path) -> bool:
    """Take users.lock until this process ends. A new user waits, and then starts the server again."""
    descriptor = os.open(folder / "users.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _stop(folder: Path) -> None:
    with suppress(FileNotFoundError):
        (folder / "server.json").replace(folder / "last.json")
    os._exit(0)


if __name__ == "__main__":
    main()
