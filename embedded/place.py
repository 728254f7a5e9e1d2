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

from embedded.errors import FolderUnusable, ForeignFolder

PORT = 5432  # never opened on the network: part of the socket's name
_LONGEST_SOCKET = 107  # bytes; sockaddr_un holds 108 with the final zero, in PostgreSQL as in the kernel


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom the folder and the server's processes belong to."""

    uid: int
    gid: int
    name: str  # `#1234` where the system knows no name


@dataclass(frozen=True, kw_only=True)
class Place:
    """Everything of one server; nothing outside `folder` is changed but `far_socket_folder`."""

    folder: Path  # absolute, without symbolic links
    account: Account

    def __str__(self) -> str:
        with suppress(OSError, ValueError):  # no current folder, or not below it
            return str(self.folder.relative_to(Path.cwd()))
        return str(self.folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def server_lock(self) -> Path:
        return self.folder / "server.lock"

    @property
    def watcher_lock(self) -> Path:
        return self.folder / "watcher.lock"

    @property
    def far_socket_name(self) -> str:
        return f"embedded-pg-{self.account.uid}-{sha256(os.fsencode(self.folder)).hexdigest()[:16]}"

    def socket_folder(self) -> Path:
        """Where a new server listens: here, unless the path is too long for a socket, or libpq would split it."""
        temporary = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # see prepare_socket_folder
        near_and_far = (self.folder, *(folder / self.far_socket_name for folder in temporary))
        return next(folder for folder in near_and_far if _fits(folder))

    def is_mine(self, socket_folder: Path) -> bool:
        """Whether a socket folder named in a postmaster.pid is this server's, and not that of the original when the
        whole checkout was copied while its server ran."""
        return socket_folder == self.folder or socket_folder.name == self.far_socket_name


def find(folder: str | os.PathLike[str]) -> Place:
    """The place of a folder that may not exist yet."""
    real = Path(folder).resolve()
    return Place(folder=real, account=_account_for(real))


@contextmanager
def in_one_line(folder: str | os.PathLike[str]) -> Iterator[None]:
    """What the system refuses in this folder, said as one of our own errors."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})" if error.filename else error.strerror or str(error)
        raise FolderUnusable(folder=folder, reason=reason, account=_named(os.geteuid()).name) from error


def prepare(place: Place) -> None:
    """Makes the folder, for nobody but its account; root also gives away the folders made on the way to it, when they
    are in somebody's checkout, so that nothing is left there they cannot delete."""
    missing = [path for path in (place.folder, *place.folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0 and path.parent.stat().st_uid == place.account.uid:
            os.chown(path, place.account.uid, place.account.gid)
    if os.geteuid() == 0:
        os.chown(place.folder, place.account.uid, place.account.gid)
    place.folder.chmod(0o700)


def prepare_socket_folder(place: Place) -> Path:
    """The folder to listen in, made where it is outside; somebody else's is refused, since it could be a trap."""
    folder = place.socket_folder()
    if folder != place.folder:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if os.geteuid() == 0 and found.st_uid == 0 and stat.S_ISDIR(found.st_mode):
            os.chown(folder, place.account.uid, place.account.gid)
            found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != place.account.uid:
            raise ForeignFolder(folder=folder, owner=_named(found.st_uid).name)
        folder.chmod(0o700)
    return folder


def clear_socket_folder(place: Place) -> None:
    """To be called while nothing can start: takes away a socket folder outside of the place."""
    if (folder := place.socket_folder()) != place.folder:
        with suppress(OSError):
            folder.rmdir()


def _fits(folder: Path) -> bool:
    return "," not in str(folder) and len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET


def _account_for(folder: Path) -> Account:
    """Ourselves; but PostgreSQL refuses to run as root, so for root whoever owns the data, or else the checkout the
    folder lies in, or else nobody."""
    mine = os.geteuid()
    if mine != 0:
        if folder.exists() and (owner := folder.stat().st_uid) != mine:
            raise ForeignFolder(folder=folder, owner=_named(owner).name)
        return _named(mine)
    if (folder / "data").exists() and (owner := (folder / "data").stat().st_uid):
        return _named(owner)
    owners = [_named(path.stat().st_uid) for path in (folder, *folder.parents) if path.exists()]
    return next((owner for owner in owners if owner.uid and not owner.name.startswith("#")), _nobody())


def _named(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(uid=uid, gid=os.getegid() if uid == os.geteuid() else uid, name=f"#{uid}")
    return Account(uid=uid, gid=entry.pw_gid, name=entry.pw_name)


def _nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)
