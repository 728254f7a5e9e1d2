"""Projects of other people: a folder, a database that nobody has used before, and the app from its wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from tests import ports
from tests.acceptance import queue_clusters
from tests.conftest import CHECKOUT, CompletedCommand, process_environment, sql
from tests.polling import eventually


def build_wheel(folder: Path) -> Path:
    """The app as it is delivered, in that folder."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=CHECKOUT, check=True)
    [built] = folder.glob("*.whl")
    return built


def install_wheel(wheel: Path, site: Path) -> None:
    """As pip does it. What it depends on is that of these tests."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True)


@contextmanager
def temporary_database(name: str) -> Iterator[dict[str, str]]:
    """A database of that name for as long as it is needed, and the variables that lead to it: the only ones of this
    checkout's that a host inherits."""
    sql(f"DROP DATABASE IF EXISTS {name}")
    sql(f"CREATE DATABASE {name} TEMPLATE template0")
    inherited = {**process_environment(), "DB_NAME": name}
    for variable in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH"):
        inherited.pop(variable, None)
    try:
        yield inherited
    finally:
        sql(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, kw_only=True)
class HostProject:
    """A project in its folder."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str | Path) -> CompletedCommand:
        """A command, to its end."""
        ended = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        return CompletedCommand(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def output_of(self, *command: str | Path) -> str:
        """What a command prints that succeeds."""
        ended = self.run(*command)
        assert ended.exit_code == 0, ended.err or ended.out
        return ended.out

    @contextmanager
    def background_command(self, *command: str | Path) -> Iterator["subprocess.Popen[str]"]:
        """A command that goes on until nobody needs it any more."""
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
            text=True,
        )
        try:
            yield process
        finally:
            queue_clusters.kill(process)

    @contextmanager
    def runserver(self, *manage: str | Path) -> Iterator[str]:
        """Django's own server, with the static files of what is installed; its address. `manage`: how a management
        command is called here."""
        port = ports.free_port()
        with self.background_command(*manage, "runserver", "--noreload", "--insecure", f"127.0.0.1:{port}") as server:
            eventually(lambda: ports.is_listening(port) or server.poll() is not None)
            assert server.poll() is None
            yield f"http://localhost:{port}"


class BrowserVisitor:
    """Somebody with a browser, who logs in by the form."""

    def __init__(self, address: str) -> None:
        self.address, self._jar = address, CookieJar()
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))

    def log_in(self, admin: str, name: str, password: str) -> None:
        """By the form of the admin that is mounted there."""
        self.get(f"{admin}login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self._cookie("csrftoken")}
        code, page = self._request(f"{admin}login/?next={admin}", urlencode(form).encode())
        assert self._cookie("sessionid"), (code, page)

    def get(self, path: str) -> tuple[int, str]:
        return self._request(path)

    def _request(self, path: str, form: bytes | None = None) -> tuple[int, str]:
        try:
            with self._browser.open(Request(self.address + path, form), timeout=60) as answer:  # noqa: S310  # ours
                return answer.status, answer.read().decode()
        except HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def _cookie(self, name: str) -> str:
        return next((cookie.value or "" for cookie in self._jar if cookie.name == name), "")


def host_environment(inherited: Mapping[str, str], *module_paths: Path, **extra: str) -> dict[str, str]:
    """With modules from there, and nothing of what this checkout would say."""
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(os.fspath, module_paths)), **extra}
