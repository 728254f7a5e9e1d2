"""Finds the changes that were not notified yet.

A run notifies each change right after its commit. This finds what is left: changes of a run that was killed in between,
late views, ended mutes, finished runs, and what other apps observe. So nothing is lost, although no refresh writes
notifications in its own transaction.

`alert_observers` of an installed AppConfig are dotted paths of functions of the type `Observer`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from django.apps import apps
from django.utils.module_loading import import_string

from seeder.conf import Settings
from seeder.domain.freshness.states import FreshnessState
from seeder.domain.notifications.channels import LineageServer
from seeder.domain.notifications.events import AlertKind, AlertState, Event, Observation, Subject
from seeder.domain.view_names import ViewName
from seeder.models import Alert, JobStatus
from seeder.postgres import freshness_queries
from seeder.postgres.contract import OptionalTables
from seeder.services import signal_sending
from seeder.services.notifications import outbox
from seeder.services.read_models.freshness_overview import ContractStatus, freshness_overview
from seeder.services.read_models.listed_views import ListedView, listed_views

_Observe = Callable[[], Observation]
# Takes the subjects with another state than ok that were notified, and when. Yields those whose state is another one.
Observer = Callable[[Mapping[Subject, datetime]], Iterator[tuple[Subject, _Observe]]]
_REFRESH_FAILED = {AlertState.FAILED, AlertState.HELD}


def notify_changes(settings: Settings, tables: OptionalTables) -> None:
    """Write the notifications of all changes that were not notified, and send their signals.

    If nothing has changed, it takes two statements, one for each channel that wants finished runs, and those of the
    freshness overview.
    """
    alerts = {_subject(row): row for row in Alert.objects.exclude(notified=AlertState.OK)}
    notified = {subject: AlertState(row.notified) for subject, row in alerts.items()}
    times = {subject: row.notified_at for subject, row in alerts.items() if row.notified_at is not None}
    changed = [*_changed_refreshes(notified, settings, tables), *_changed_contracts(notified)]
    for observer in _observers():
        changed += observer(times)
    for subject, observe in changed:
        change = outbox.notify_change(subject, observe, settings)
        if change is not None and change.event is not Event.LOAD_FAILED:  # each failed load has sent it
            signal_sending.send(change.event, **change.facts)
    outbox.add_finished_runs(settings.notifications, tables)
    for channel in settings.notifications if tables.is_usable("seeder_run") else ():
        if isinstance(channel.receiver, LineageServer):
            outbox.complete_lineage(channel)


def _subject(row: Alert) -> Subject:
    return Subject(
        kind=AlertKind(row.kind), database=row.database_alias, name=row.table_name, contract_id=row.contract_id
    )


def _observers() -> list[Observer]:
    return [import_string(path) for app in apps.get_app_configs() for path in getattr(app, "alert_observers", ())]


def _changed_refreshes(
    notified: Mapping[Subject, AlertState], settings: Settings, tables: OptionalTables
) -> Iterator[tuple[Subject, _Observe]]:
    """Yield views that fail, or do not fail any more, unlike what was notified."""
    failing = set(JobStatus.objects.filter(consecutive_failures__gt=0).values_list("table_name", flat=True))
    notified_failing = {subject for subject, state in notified.items() if state in _REFRESH_FAILED}
    if not failing and not notified_failing:
        return
    views = list(listed_views(settings.databases))
    spellings = Counter(view.table_name for view in views)
    for view in views:
        subject = Subject(kind=AlertKind.REFRESH, database=view.key.database, name=str(view.key.name))
        # Views of the same name in several databases share a status, which does not tell which of them fails.
        if spellings[view.table_name] == 1 and (view.table_name in failing) is not (subject in notified_failing):
            yield subject, partial(_observe_refresh, view, tables)


def _observe_refresh(view: ListedView, tables: OptionalTables) -> Observation:
    has_metrics = tables.is_usable("seeder_run_metrics")
    facts = freshness_queries.view_facts([view.table_name], has_metrics=has_metrics)[view.table_name]
    status = JobStatus.objects.filter(pk=view.table_name).first()
    state = AlertState.OK
    if facts.failing:
        state = AlertState.HELD if facts.is_held else AlertState.FAILED
    return Observation(
        state=state,
        facts={
            "view": str(view.key.name),
            "database": view.key.database,
            "agencies": list(view.agencies),
            "run_id": status and status.last_run_id,
            "reason": None,
            "sqlstate": None,
            "failures": (status and status.consecutive_failures) or 0,
        },
    )


def _changed_contracts(notified: Mapping[Subject, AlertState]) -> Iterator[tuple[Subject, _Observe]]:
    """Yield contracts that are late, or not late any more, unlike what was notified."""
    found = {_contract_subject(status): status for status in freshness_overview().statuses}
    others = {subject.name for subject in notified.keys() - found.keys() if subject.kind is AlertKind.FRESHNESS}
    if names := {*filter(None, map(ViewName.parse_or_none, others))}:
        found = {_contract_subject(status): status for status in freshness_overview(views=names).statuses} | found
    for subject, status in found.items():
        state = status.judgement.state
        is_late = state is FreshnessState.LATE
        if state is not FreshnessState.UNKNOWN and is_late is not (subject in notified):
            observed = AlertState.LATE if is_late else AlertState.OK
            yield subject, partial(Observation, state=observed, facts=_late_facts(status))


def _contract_subject(status: ContractStatus) -> Subject:
    key = status.view
    return Subject(kind=AlertKind.FRESHNESS, database=key.database, name=str(key.name), contract_id=status.contract.id)


def _late_facts(status: ContractStatus) -> Mapping[str, object]:
    deadline = status.judgement.deadline
    return {
        "view": str(status.view.name),
        "database": status.view.database,
        "agencies": list(status.agencies),
        "contract": status.contract.id,
        "severity": str(status.contract.severity),
        "reason": status.cause_text or None,
        "deadline": deadline and deadline.isoformat(),
    }
