"""Host projects: a folder, a new database, and the app installed from its wheel."""

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
    """Build the wheel in the folder."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=CHECKOUT, check=True)
    [built] = folder.glob("*.whl")
    return built


def install_wheel(wheel: Path, site: Path) -> None:
    """Install the wheel without its dependencies, which are those of the tests."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True)


@contextmanager
def temporary_database(name: str) -> Iterator[dict[str, str]]:
    """Create a database and yield its environment variables, the only ones that a host inherits."""
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
    """A host project in its folder."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str | Path) -> CompletedCommand:
        """Run a command and return its output and exit code."""
        ended = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        return CompletedCommand(exit_code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def output_of(self, *command: str | Path) -> str:
        """Run a command that must succeed, and return its output."""
        ended = self.run(*command)
        assert ended.exit_code == 0, ended.err or ended.out
        return ended.out

    @contextmanager
    def background_command(self, *command: str | Path) -> Iterator["subprocess.Popen[str]"]:
        """Run a command until the end of the block."""
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
        """Run Django's development server with static files, and yield its address.

        `manage` is how the project calls management commands.
        """
        port = ports.free_port()
        with self.background_command(*manage, "runserver", "--noreload", "--insecure", f"127.0.0.1:{port}") as server:
            eventually(lambda: ports.is_listening(port) or server.poll() is not None)
            assert server.poll() is None
            yield f"http://localhost:{port}"


class BrowserVisitor:
    """A visitor with cookies, as a browser has them."""

    def __init__(self, address: str) -> None:
        self.address, self._jar = address, CookieJar()
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))

    def log_in(self, admin: str, name: str, password: str) -> None:
        """Log in with the form of the admin at this path."""
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
    """Return an environment with modules from these folders and nothing of this checkout."""
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(os.fspath, module_paths)), **extra}
