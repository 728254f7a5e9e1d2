"""The last accepted number of rows of a view: that of its last published refresh, or one accepted since."""

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ViewSpec
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.data_checks.waivers import WAIVERS_TABLE


def last_accepted_rows(spec: ViewSpec, check_name: str, tables: OptionalTables) -> int | None:
    """Return the last accepted number of rows. None before the first published refresh."""
    report_types, manifest_ids = zip(*(manifest.key for manifest in spec.manifests), strict=True)
    parameters = {
        "names": list(spec.table_names),
        "report_types": list(report_types),
        "manifest_ids": list(manifest_ids),
        "database": spec.key.database,
        "view": str(spec.key.name),
        "check": check_name,
    }
    names = ["last_published_rows", *(["accepted_rows"] if tables.is_usable(WAIVERS_TABLE) else [])]
    found = sessions.query_batch(DEFAULT_DB_ALIAS, [STATEMENTS[name] for name in names], parameters)
    rows = [(instant, count) for [(count, instant)] in filter(None, found)]
    return int(max(rows)[1]) if rows else None
