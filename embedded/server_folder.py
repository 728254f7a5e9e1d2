"""The folder of one embedded server: what lies where in it, and which account it belongs to."""

import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from embedded.errors import FolderOfOtherAccount, FolderUnusable

PORT = 5432  # never opened on the network: part of the socket's name
_MAX_SOCKET_PATH_BYTES = 107  # bytes; sockaddr_un holds 108 with the final zero, in PostgreSQL as in the kernel


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom the folder and the server's processes belong to."""

    uid: int
    gid: int
    name: str  # `#1234` where the system knows no name


@dataclass(frozen=True, kw_only=True)
class ServerFolder:
    """Everything of one server; nothing outside `folder` is changed but `far_socket_folder`."""

    path: Path  # absolute, without symbolic links
    account: Account

    def __str__(self) -> str:
        with suppress(OSError, ValueError):  # no current folder, or not below it
            return str(self.path.relative_to(Path.cwd()))
        return str(self.path)

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def users_lock(self) -> Path:
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.path / "start.lock"

    @property
    def server_lock(self) -> Path:
        return self.path / "server.lock"

    @property
    def watcher_lock(self) -> Path:
        return self.path / "watcher.lock"

    @property
    def external_socket_name(self) -> str:
        return f"embedded-pg-{self.account.uid}-{sha256(os.fsencode(self.path)).hexdigest()[:16]}"

    def socket_folder(self) -> Path:
        """Where a new server listens: here, unless the path is too long for a socket, or libpq would split it."""
        temporary = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # see prepare_socket_folder
        candidates = (self.path, *(folder / self.external_socket_name for folder in temporary))
        return next(folder for folder in candidates if _fits_socket_path(folder))

    def is_own_socket_folder(self, socket_folder: Path) -> bool:
        """Whether a socket folder named in a postmaster.pid is this server's, and not that of the original when the
        whole checkout was copied while its server ran."""
        return socket_folder == self.path or socket_folder.name == self.external_socket_name


def resolve_server_folder(folder: str | os.PathLike[str]) -> ServerFolder:
    """The place of a folder that may not exist yet."""
    resolved = Path(folder).resolve()
    return ServerFolder(path=resolved, account=_account_for(resolved))


@contextmanager
def translate_os_errors(folder: str | os.PathLike[str]) -> Iterator[None]:
    """What the system refuses in this folder, said as one of our own errors."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})" if error.filename else error.strerror or str(error)
        raise FolderUnusable(folder=folder, reason=reason, account=_account_of_uid(os.geteuid()).name) from error


def create_folder(server_folder: ServerFolder) -> None:
    """Makes the folder, for nobody but its account; root also gives away the folders made on the way to it, when they
    are in somebody's checkout, so that nothing is left there they cannot delete."""
    missing = [path for path in (server_folder.path, *server_folder.path.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0 and path.parent.stat().st_uid == server_folder.account.uid:
            os.chown(path, server_folder.account.uid, server_folder.account.gid)
    if os.geteuid() == 0:
        os.chown(server_folder.path, server_folder.account.uid, server_folder.account.gid)
    server_folder.path.chmod(0o700)


def prepare_socket_folder(server_folder: ServerFolder) -> Path:
    """The folder to listen in, made where it is outside; somebody else's is refused, since it could be a trap."""
    folder = server_folder.socket_folder()
    if folder != server_folder.path:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder_stat = folder.lstat()
        if os.geteuid() == 0 and folder_stat.st_uid == 0 and stat.S_ISDIR(folder_stat.st_mode):
            os.chown(folder, server_folder.account.uid, server_folder.account.gid)
            folder_stat = folder.lstat()
        if not stat.S_ISDIR(folder_stat.st_mode) or folder_stat.st_uid != server_folder.account.uid:
            raise FolderOfOtherAccount(folder=folder, owner=_account_of_uid(folder_stat.st_uid).name)
        folder.chmod(0o700)
    return folder


def remove_external_socket_folder(server_folder: ServerFolder) -> None:
    """To be called while nothing can start: takes away a socket folder outside of the place."""
    if (folder := server_folder.socket_folder()) != server_folder.path:
        with suppress(OSError):
            folder.rmdir()


def _fits_socket_path(folder: Path) -> bool:
    return "," not in str(folder) and len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _MAX_SOCKET_PATH_BYTES


def _account_for(folder: Path) -> Account:
    """Ourselves; but PostgreSQL refuses to run as root, so for root whoever owns the data, or else the checkout the
    folder lies in, or else nobody."""
    own_uid = os.geteuid()
    if own_uid != 0:
        if folder.exists() and (owner := folder.stat().st_uid) != own_uid:
            raise FolderOfOtherAccount(folder=folder, owner=_account_of_uid(owner).name)
        return _account_of_uid(own_uid)
    if (folder / "data").exists() and (owner := (folder / "data").stat().st_uid):
        return _account_of_uid(owner)
    owners = [_account_of_uid(path.stat().st_uid) for path in (folder, *folder.parents) if path.exists()]
    return next((owner for owner in owners if owner.uid and not owner.name.startswith("#")), _account_nobody())


def _account_of_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid=uid, gid=os.getegid() if uid == os.geteuid() else uid, name=f"#{uid}")
    return Account(uid=uid, gid=entry.pw_gid, name=entry.pw_name)


def _account_nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)
