"""Sources whose loads fail or work again, for the notifications of seeder.

A source fails if the last load of it that ended has failed. Each failure is in `load_log`, also that of a killed
process, so it is compared with what was notified, and no load writes notifications.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error, connections

from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.services.load_databases import answers_with_loads
from seeder.domain.notifications.events import AlertKind, AlertState, Observation, Subject
from seeder.postgres import sessions, transactions


def changed_sources(
    notified: Mapping[Subject, datetime],
) -> Iterator[tuple[Subject, Callable[[], Observation]]]:
    """Yield sources whose state is not the one that was notified.

    Takes one statement for each database with loads, and one more if a failure was notified. Databases that do not
    answer are left out.
    """
    for alias in connections:
        if alias == DEFAULT_DB_ALIAS or (connections[alias].vendor == "postgresql" and answers_with_loads(alias)):
            times = {
                subject.name: at
                for subject, at in notified.items()
                if subject.kind is AlertKind.LOAD and subject.database == alias
            }
            for source, state, facts in _changes(alias, times):
                subject = Subject(kind=AlertKind.LOAD, database=alias, name=source)
                all_facts = {"source": source, "database": alias, "agencies": [], **facts}
                yield subject, partial(Observation, state=state, facts=all_facts)


def _changes(alias: str, times: Mapping[str, datetime]) -> Iterator[tuple[str, AlertState, Mapping[str, object]]]:
    failing = transactions.attempt(alias, partial(sessions.query, alias, STATEMENTS["failing_sources"]))
    if isinstance(failing, Error):  # the tables are missing, or the database is
        return
    for source, load_id, attempts, code in failing:
        if source not in times:
            yield source, AlertState.FAILED, {"load_id": load_id, "attempt": attempts, "reason": code}
    names = {source for source, *_ in failing}
    quiet = {source: at for source, at in times.items() if source not in names}
    if quiet:
        parameters = {"sources": list(quiet), "times": list(quiet.values())}
        for source, load_id in sessions.query(alias, STATEMENTS["recovered_sources"], parameters):
            yield source, AlertState.OK, {"load_id": load_id}
