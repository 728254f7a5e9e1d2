"""The critical path of a run, with dependencies from the catalog and the declarations of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.monitoring.critical_path import CriticalPath, critical_path
from seeder.domain.monitoring.timeline import Timeline
from seeder.domain.view_names import ViewName, normalize_name
from seeder.errors import DatabaseError
from seeder.postgres import catalog
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_selection

_MAX_VIEWS = 2_000  # whose dependencies are read; the catalog needs 65 ms for them
_READY_AT_ONCE = timedelta(milliseconds=200)  # after the first view; later ones read a view of this run


def read_critical_path(timeline: Timeline, *, sees_all_agencies: bool) -> CriticalPath | None:
    """Return the path of a finished run, or None without times of waits.

    Nothing but its end decided how long a run took that was stopped.
    A user of some agencies gets the chain of visible views, and not how long the run could have taken.
    """
    finished_at = timeline.run.finished_at
    if finished_at is None or timeline.run.stopped_by or all(bar.worker_wait_seconds is None for bar in timeline.bars):
        return None
    ready_at = [bar.ready_at for bar in timeline.bars]
    first_ready = min(ready_at)
    waited = [bar for bar, ready in zip(timeline.bars, ready_at, strict=True) if ready - first_ready > _READY_AT_ONCE]
    waited.sort(key=lambda bar: bar.finished_at or bar.started_at, reverse=True)  # the chain begins at the end
    names = [bar.table_name for bar in timeline.bars]
    dependencies, is_known = _read_dependencies([bar.table_name for bar in waited[:_MAX_VIEWS]], names)
    return critical_path(
        timeline.bars,
        dependencies,
        started_at=timeline.run.started_at,
        finished_at=finished_at,
        is_complete=is_known and sees_all_agencies and len(waited) <= _MAX_VIEWS,
    )


def _read_dependencies(readers: Iterable[str], names: Iterable[str]) -> tuple[Mapping[str, Set[str]], bool]:
    """Return what `readers` read among the `names` of a run, and whether every database answered.

    The names are those of the history. Takes three statements for each database.
    """
    found: dict[str, set[str]] = {}
    is_known, databases = True, conf.load().databases
    spellings = defaultdict[str, list[str]](list)
    for name in names:
        spellings[normalize_name(name)].append(name)
    views = {view for name in readers if (view := ViewName.parse_or_none(name))}
    aliases = {*databases.values()} or {DEFAULT_DB_ALIAS}
    for alias in sorted(aliases) if views else ():
        is_only_database = len(aliases) == 1
        named = manifest_selection.named_views(alias, databases=databases, declaring=is_only_database)
        try:
            with translate_database_errors(alias):
                used = catalog.find_used_objects(alias, views if is_only_database else views & named.keys())
        except DatabaseError:
            is_known = False
            continue
        for view, objects in used.items():
            read = {one.relation for one in objects if one.kind == "m" and one.relation is not None}
            declaration = named[view].declaration if view in named else None
            read |= declaration.views if declaration else frozenset[ViewName]()
            spelled = {name for one in read - {view} for name in spellings.get(str(one), ())}
            for name in spellings[str(view)]:
                found.setdefault(name, set()).update(spelled)
    return found, is_known
