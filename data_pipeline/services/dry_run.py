"""Loads a file and refreshes its views in a rolled back transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import Reject
from data_pipeline.errors import KeysUnreadable, TooManyRejects
from data_pipeline.postgres import dry_runs
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.chunk_loader import ProgressListener
from data_pipeline.services.file_loader import FileLoader
from data_pipeline.services.load_options import GivenOptions, LoadOptions
from data_pipeline.services.transaction_guards import require_own_transaction
from seeder.domain.view_names import ViewName
from seeder.postgres.transactions import rolled_back_atomic
from seeder.texts import Text

if TYPE_CHECKING:
    from seeder.services.trial_refreshes import TrialRefreshes


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewChange:
    """What the refresh after the load would do to a view."""

    view: str
    rows_before: int | None = None  # None if it would fail
    rows_after: int | None = None
    rows_added: int | None = None  # only in the new rows; a changed row is removed and added
    rows_removed: int | None = None
    problem: str | None = None  # why it would fail


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """What a load would do."""

    source_uri: str
    target: str | None
    counts: LoadCounts
    duration: timedelta
    size_bytes: int
    loaded_before_as: int | None = None  # the load of this file, so that it would be skipped
    refusal: str | None = None  # why the rejects prevent the load, so that nothing would be loaded
    creates_table: bool = False
    added_columns: Mapping[str, str] = field(default_factory=dict)  # their types; of a new table all columns
    rejects: Sequence[Reject] = field(default_factory=tuple)  # the first ones
    views: Sequence[ViewChange] = field(default_factory=tuple)  # in the order of their dependencies
    undetermined: Sequence[str] = field(default_factory=tuple)  # they call functions with text bodies

    @property
    def would_fail(self) -> bool:
        return self.refusal is not None or any(one.problem for one in self.views)


def dry_run(
    source_uri: str,
    *,
    using: str = DEFAULT_DB_ALIAS,
    on_progress: ProgressListener = lambda _: None,
    **options: Unpack[GivenOptions],
) -> DryRun:
    """Return what `load_file` would do with these arguments. Afterwards every table, sequence and view is as before.

    The file is loaded, its dependent views are refreshed, and everything is rolled back. Without the app `seeder` no
    view is refreshed, and waits for locks are not limited.

    Raises the errors of `load_file` except `TooManyRejects`, and `SequenceNotHeld`.
    """
    with translate_errors(using):
        require_own_transaction(using, "dry_run")
        return _Trial(FileLoader(source_uri, LoadOptions.from_given(options), using, on_progress), using).run()


class _Trial:
    """One call of `dry_run`."""

    def __init__(self, load: FileLoader, using: str) -> None:
        self._load, self._using = load, using

    def run(self) -> DryRun:
        found = self._load.find()
        if found is not None and found.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}:
            return self._result(loaded_before_as=found.pk, target=found.target)
        handle, refusal, types, views = self._load.trial_handle(), None, dict[str, str](), None
        with rolled_back_atomic(self._using):
            self._begin()
            try:
                self._load.load(handle, is_trial=True)
            except TooManyRejects as error:
                refusal = _refusal_text(error)
            if handle.target is not None:
                types = dict(dry_runs.column_types(self._using, ViewName.parse(handle.target)))
            if handle.requested_refresh and refusal is None:
                views = self._refresh([ViewName(schema=schema, name=name) for schema, name in handle.requested_refresh])
        result = self._result(target=handle.target, counts=handle.counts)
        if refusal is not None:
            read = LoadCounts(rows_in=handle.counts.rows_in, rows_rejected=handle.counts.rows_rejected)
            return replace(result, counts=read, refusal=refusal)
        if handle.target is None:
            return result
        before = dry_runs.column_types(self._using, ViewName.parse(handle.target))
        return replace(
            result,
            creates_table=not before,
            added_columns={name: kind for name, kind in types.items() if name not in before},
            views=_view_changes(views),
            undetermined=[str(view) for view in views.undetermined] if views else [],
        )

    def _begin(self) -> None:
        if apps.is_installed("seeder"):
            from seeder.services.trial_refreshes import limit_lock_waits

            limit_lock_waits(self._using)
        dry_runs.pretend_load_id(self._using)

    def _refresh(self, relations: Sequence[ViewName]) -> "TrialRefreshes | None":
        if not apps.is_installed("seeder"):
            return None
        from seeder.services.trial_refreshes import refresh_on_trial

        return refresh_on_trial(relations, database=self._using)

    def _result(
        self, *, target: str | None, counts: LoadCounts | None = None, loaded_before_as: int | None = None
    ) -> DryRun:
        return DryRun(
            source_uri=self._load.source_uri,
            target=target,
            counts=counts or LoadCounts(),
            duration=self._load.elapsed,
            size_bytes=self._load.size_bytes,
            loaded_before_as=loaded_before_as,
            rejects=self._load.first_rejects,
        )


def _refusal_text(error: TooManyRejects) -> Text:
    facts = error.facts
    if isinstance(error, KeysUnreadable):
        return Text(
            "{unreadable:,} of {rejected:,} rejected records have no key that can be read, and the snapshot would"
            " delete the rows that they belong to",
            unreadable=facts["unreadable"],
            rejected=facts["rejected"],
        )
    return Text(
        "{rejected:,} of {records:,} records would be rejected, but the limit is {limit}",
        rejected=facts["rejected"],
        records=facts["records"],
        limit=facts["limit"],
    )


def _view_changes(refreshes: "TrialRefreshes | None") -> list[ViewChange]:
    return [
        ViewChange(view=str(one.view), problem=one.problem)
        if one.changes is None
        else ViewChange(
            view=str(one.view),
            rows_before=one.changes.before,
            rows_after=one.changes.after,
            rows_added=one.changes.added,
            rows_removed=one.changes.removed,
        )
        for one in (refreshes.views if refreshes else ())
    ]
