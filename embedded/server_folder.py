"""The folder of one embedded server, its files and its account."""

import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import FolderOfOtherAccount, FolderUnusable

PORT = 5432  # only part of the socket's name
_UNPRIVILEGED_UID = 65534  # the account without privileges on every Linux distribution
_MAX_SOCKET_PATH_BYTES = 107  # bytes; sockaddr_un holds 108 with the final zero, in PostgreSQL as in the kernel


@dataclass(frozen=True, kw_only=True)
class Account:
    """The owner of the folder and the server's processes."""

    uid: int
    gid: int
    name: str  # `#1234` if the system has no name


@dataclass(frozen=True, kw_only=True)
class ServerFolder:
    """The paths of one server. Nothing outside `folder` is changed, except an external socket folder."""

    path: Path  # absolute, without symbolic links
    account: Account

    def __str__(self) -> str:
        with suppress(OSError, ValueError):  # there is no current folder, or it is no parent
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

    def socket_folder(self) -> Path:
        """Return the folder to listen in: below this one, unless its path is too long for a socket or has a comma.

        Its name has the inode of the data folder, so that a server whose folder was deleted or moved cannot remove the
        socket of a successor at the same path.
        """
        inside, outside = self._socket_folder_names()
        temporary = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # see prepare_socket_folder
        candidates = (self.path / inside, *(folder / outside for folder in temporary))
        return next(folder for folder in candidates if _fits_socket_path(folder))

    def is_own_socket_folder(self, socket_folder: Path) -> bool:
        """Return whether a socket folder in postmaster.pid is this server's. A copied checkout names the original's."""
        inside, outside = self._socket_folder_names()
        return socket_folder == self.path / inside or socket_folder.name == outside

    def _socket_folder_names(self) -> tuple[str, str]:
        """Return the names of a socket folder below this folder and below a temporary one."""
        device = inode = 0  # no data folder yet
        with suppress(FileNotFoundError):
            found = self.data.stat()
            device, inode = found.st_dev, found.st_ino
        return f"socket.{inode}", f"embedded-pg-{self.account.uid}-{device}-{inode}"


def resolve_server_folder(folder: str | os.PathLike[str]) -> ServerFolder:
    """Return the server folder of a path that may not exist yet."""
    resolved = Path(folder).resolve()
    return ServerFolder(path=resolved, account=_account_for(resolved))


@contextmanager
def translate_os_errors(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Translate errors of the operating system to `FolderUnusable`."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})" if error.filename else error.strerror or str(error)
        raise FolderUnusable(folder=folder, reason=reason, account=_account_of_uid(os.geteuid()).name) from error


def create_folder(server_folder: ServerFolder) -> None:
    """Create the folder, accessible only for its account.

    Root also gives the new parent folders to the owner of the checkout, so that the owner can delete them.
    """
    missing = [path for path in (server_folder.path, *server_folder.path.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0 and path.parent.stat().st_uid == server_folder.account.uid:
            os.chown(path, server_folder.account.uid, server_folder.account.gid)
    if os.geteuid() == 0:
        os.chown(server_folder.path, server_folder.account.uid, server_folder.account.gid)
    server_folder.path.chmod(0o700)


def prepare_socket_folder(server_folder: ServerFolder) -> Path:
    """Create the folder to listen in, and return it.

    A folder of another user is refused, because it could be a trap.
    """
    folder = server_folder.socket_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    folder_stat = folder.lstat()
    if os.geteuid() == 0 and folder_stat.st_uid == 0 and stat.S_ISDIR(folder_stat.st_mode):
        os.chown(folder, server_folder.account.uid, server_folder.account.gid)
        folder_stat = folder.lstat()
    if not stat.S_ISDIR(folder_stat.st_mode) or folder_stat.st_uid != server_folder.account.uid:
        raise FolderOfOtherAccount(folder=folder, owner=_account_of_uid(folder_stat.st_uid).name)
    folder.chmod(0o700)
    return folder


def remove_socket_folder(folder: Path) -> None:
    """Delete a socket folder, unless it has a socket. The server must not be able to start."""
    with suppress(OSError):
        folder.rmdir()


def _fits_socket_path(folder: Path) -> bool:
    return "," not in str(folder) and len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _MAX_SOCKET_PATH_BYTES


def _account_for(folder: Path) -> Account:
    """Return this process's account, or another one if that is root, which PostgreSQL refuses.

    For root it is the owner of the data, otherwise of the checkout that contains the folder, otherwise an unprivileged
    account.
    """
    own_uid = os.geteuid()
    if own_uid != 0:
        if folder.exists() and (owner := folder.stat().st_uid) != own_uid:
            raise FolderOfOtherAccount(folder=folder, owner=_account_of_uid(owner).name)
        return _account_of_uid(own_uid)
    if (folder / "data").exists() and (owner := (folder / "data").stat().st_uid):
        return _account_of_uid(owner)
    owners = [_account_of_uid(path.stat().st_uid) for path in (folder, *folder.parents) if path.exists()]
    return next(
        (owner for owner in owners if owner.uid and not owner.name.startswith("#")), _account_of_uid(_UNPRIVILEGED_UID)
    )


def _account_of_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid=uid, gid=os.getegid() if uid == os.geteuid() else uid, name=f"#{uid}")
    return Account(uid=uid, gid=entry.pw_gid, name=entry.pw_name)
