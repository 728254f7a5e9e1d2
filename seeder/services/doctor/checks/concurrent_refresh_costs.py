"""Views whose concurrent refreshes cost more than they need to.

Measured with 100,000 rows on PostgreSQL 15 and 18: with an ORDER BY on its first column, the query of a view made its
concurrent refresh 2 to 2.8 times cheaper at 1 to 10 % changed rows. A concurrent refresh sorts the new rows by all
columns, and rows that are in order already are cheap to sort.
"""

from collections.abc import Iterator, Mapping

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import PastRefresh, RefreshMode, predict
from seeder.domain.refresh_mode import BLOATED, bloat_text
from seeder.postgres.contract import OptionalTables
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem, warning_problem
from seeder.services.run.mode_choice import read_past
from seeder.texts import Text

KEY_HAS_NULLS = warning_problem(
    name="key_has_nulls",
    area="views",
    meaning=Text(
        "A column of a unique index is null in some rows. Nulls equal nothing, so each concurrent refresh deletes"
        " these rows and inserts them again, even if they are unchanged."
    ),
    fix=Text(
        "Use coalesce() for the column in the query, or create the index on other columns that identify every row."
    ),
)
VIEW_BLOATED = warning_problem(
    name="view_bloated",
    area="views",
    meaning=Text(
        "A view takes much more space than its rows need, so readers read more. VACUUM does not keep up: it is off,"
        " or long transactions, a standby or a replication slot keep dead rows."
    ),
    fix=Text("Find what keeps dead rows, and refresh the view plainly once when readers can wait."),
)
ROWS_UNORDERED = info_problem(
    name="rows_unordered",
    area="views",
    meaning=Text(
        "The query of a view that is refreshed concurrently has no ORDER BY on its first column. With it, a"
        " concurrent refresh is about twice as fast."
    ),
    fix=Text("Add an ORDER BY to the manifest's query, and recreate the view when readers can wait."),
)

_MIN_ORDERED_ROWS = 10_000  # with fewer, the order hardly matters


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    views = {one.oid: one for one in database.relations.values() if one.relkind == "m" and one.is_populated}
    past = _read_history(database)
    for relation in views.values():
        bloat = predict(past.get(ViewKey(database=database.alias, name=relation.view), ())).bloat
        if bloat is not None and bloat >= BLOATED:
            sql = f"REFRESH MATERIALIZED VIEW {relation.quoted_name};"
            yield VIEW_BLOATED.found(str(relation.view), message=bloat_text(bloat), sql=sql)
    if not database.settings.refresh_concurrently:
        return
    ready = {oid for oid, relation in views.items() if relation.has_unique_index}
    for oid, columns in database.read("null_keys", oids=sorted(ready)):
        yield KEY_HAS_NULLS.found(
            str(views[oid].view), message=Text("Some rows have nulls in {columns}, by ANALYZE.", columns=columns)
        )
    if database.settings.chooses_mode:
        concurrent = {key.name for key, refreshes in past.items() if refreshes[0].mode is RefreshMode.CONCURRENT}
        ready = {oid for oid in ready if views[oid].view in concurrent}
    for (oid,) in database.read("unordered_views", oids=sorted(ready), min_rows=_MIN_ORDERED_ROWS):
        yield ROWS_UNORDERED.found(str(views[oid].view))


def _read_history(database: CheckedDatabase) -> Mapping[ViewKey, tuple[PastRefresh, ...]]:
    """Return the latest refreshes of each view, or none without the table that has their modes."""
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    return read_past(database.views.values()) if tables.is_usable("seeder_run_metrics") else {}
