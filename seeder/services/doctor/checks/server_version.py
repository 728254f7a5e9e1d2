"""Versions of PostgreSQL that are too old or have a known vulnerability."""

from collections.abc import Iterator

from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem

_OLDEST_SUPPORTED_MAJOR = 15  # the oldest major version that the tests run on
# The first minor version of each major version with the fix of CVE-2024-0985. Later major versions have the fix.
_FIRST_PATCHED_MINOR = {15: 6, 16: 2}

SERVER_UNSUPPORTED = error_problem(
    name="server_unsupported",
    area="server and role",
    meaning=f"The server is older than PostgreSQL {_OLDEST_SUPPORTED_MAJOR}, the oldest supported version.",
    fix="Upgrade it.",
)
SERVER_UNPATCHED = warning_problem(
    name="server_unpatched",
    area="server and role",
    meaning="Before 15.6 and 16.2, a concurrent refresh can run the owner's code as seeder's role (CVE-2024-0985).",
    fix="Install the latest minor version. Until then set `SEEDER_REFRESH_CONCURRENTLY=false`.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    server = database.server
    if server.major < _OLDEST_SUPPORTED_MAJOR:
        yield SERVER_UNSUPPORTED.found(server.version_text)
    elif server.minor < _FIRST_PATCHED_MINOR.get(server.major, 0):
        yield SERVER_UNPATCHED.found(server.version_text)
