"""Expected errors of editing and selecting manifests."""

from seeder.errors import DatabaseError, SeederError, UnknownObject


class ManifestEditError(SeederError):
    """A manifest cannot be changed."""


class EditingOff(ManifestEditError):
    """Manifests cannot be changed here, because a query is code that runs as the refreshing role. An administrator can
    allow it with SEEDER_ALLOW_MANIFEST_EDITING=true."""


class BadManifest(ManifestEditError):
    """{field} is invalid: {problem}."""


class QueryRefused(ManifestEditError):
    """PostgreSQL refuses the query{place}: {message}"""


class ManifestChanged(ManifestEditError):
    """{manifest} was changed after you opened it, so nothing is stored. Open it again, and repeat your change."""


class ReportShared(ManifestEditError):
    """The canned report {report} also has subscribers that you may not see, and a change would affect them. Only a user
    of all its agencies can change it."""


class ViewTaken(ManifestEditError):
    """Another agency's manifest, or none that you may see, has the view {table}. Choose another name."""


class ManifestExists(ManifestEditError):
    """{agency} already has this query for the view {table}, in the manifest {manifest_id}. Change that one."""


class ReportExists(ManifestEditError):
    """The canned report {report_id} already has this query for the view {table}. Subscribe agencies to that one."""


class AlreadySubscribed(ManifestEditError):
    """{agency} already subscribes to the canned report {report}."""


class UnknownManifest(UnknownObject):
    """There is no {kind} with the id {manifest_id}."""


class PatternMatchesNothing(UnknownObject):
    """No view of {request} matches {pattern!r}. `manage.py refresh_status` lists the views."""


class WritingForbidden(DatabaseError):
    """{role} may not write {tables}, which another role owns. To allow changes here, its owner can:
    GRANT {privileges} ON {tables} TO {role};"""
