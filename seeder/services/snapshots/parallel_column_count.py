"""Column counts of one view, over several connections with a shared snapshot."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from django.db import connections

from seeder.conf import Settings
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Release
from seeder.domain.view_names import ViewName
from seeder.errors import CaptureFailed
from seeder.postgres import column_statistics, sessions
from seeder.postgres.shared_snapshot import snapshot_transaction
from seeder.services.stop_signal import StopSignal
from seeder.texts import Text

ProgressCallback = Callable[[int, int], object]  # columns counted, total; called in any thread

CANCEL_INTERVAL = 0.1  # seconds between two attempts to cancel statements
_KEEPALIVE_INTERVAL = 5.0  # seconds; idle_in_transaction_session_timeout is 30 s


@dataclass(frozen=True, kw_only=True)
class CaptureOptions:
    """What to capture, and the limits for it."""

    settings: Settings
    release: Release
    top_values_columns: frozenset[str] = frozenset()  # columns whose most frequent values are counted
    max_top_values: int = 10  # per column
    strict: bool = True  # fail if the view lacks one of these columns
    approximate: bool = False
    connections: int = 1  # used in parallel; 1 if several views share the options
    on_progress: ProgressCallback = lambda *_: None
    in_flight: sessions.CancellableStatements = field(default_factory=sessions.CancellableStatements)
    stop: StopSignal = field(default_factory=StopSignal)

    def raise_if_stopped(self, view: ViewName) -> None:
        """Raise `CaptureFailed` if a stop is requested."""
        if self.stop.requested:
            raise CaptureFailed(view=view, cause=Text("interrupted by {reason}.", reason=self.stop.reason))

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of the statements of a `snapshot_transaction`."""
        return {
            "lock_timeout": self.settings.lock_timeout_ms,
            "statement_timeout": self.settings.statement_timeout_ms,
            # Parallel workers would compete with other connections.
            "parallel_workers": None if self.settings.snapshot_connections == 1 else "0",
            "application_name": f"seeder snapshot {self.release.tag}",
            "memory_kb": self.settings.snapshot_memory_mb * 1024 // self.settings.snapshot_connections,
        }


class ParallelCounter:
    """Counts the columns of one view in the calling thread's snapshot."""

    def __init__(self, database: str, snapshot_id: str, options: CaptureOptions) -> None:
        self._database, self._snapshot_id, self._options = database, snapshot_id, options
        self._total = 0
        self._tasks = SimpleQueue[column_statistics.CountTask]()
        self._counted: dict[str, tuple[int, ColumnStatistics]] = {}
        self._errors: list[BaseException] = []

    def count(self, tasks: Sequence[column_statistics.CountTask]) -> Mapping[str, tuple[int, ColumnStatistics]]:
        self._total = sum(len(task.columns) for task in tasks)
        for task in tasks:
            self._tasks.put(task)
        helper_count = max(min(self._options.connections, len(tasks)) - 1, 0)
        with ThreadPoolExecutor(max_workers=max(helper_count, 1)) as pool:
            helpers = [pool.submit(self._run_helper) for _ in range(helper_count)]
            try:
                self._work()
                # If this session idled, the server would end it and its snapshot (25P03).
                while wait(helpers, timeout=_KEEPALIVE_INTERVAL).not_done:
                    sessions.server_time(self._database)
            except BaseException as error:  # noqa: BLE001  # raised below, after all threads have ended
                self._errors.append(error)
            while wait(helpers, timeout=CANCEL_INTERVAL).not_done:
                self._options.in_flight.cancel_all()  # repeated because a cancel between two statements has no effect
        if self._errors:
            raise self._errors[0]
        return self._counted

    def _run_helper(self) -> None:
        try:
            with snapshot_transaction(self._database, self._options.parameters, snapshot_id=self._snapshot_id):
                self._work()
        except BaseException as error:  # noqa: BLE001  # raised in the thread that joins this one
            self._errors.append(error)
            self._options.in_flight.cancel_all()  # after the append, so that this error is reported first
        finally:
            connections.close_all()

    def _work(self) -> None:
        while not self._errors:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return
            self._options.raise_if_stopped(task.view)
            with self._options.in_flight.track(self._database):
                self._counted |= column_statistics.count_columns(self._database, task)
            self._options.on_progress(len(self._counted), self._total)
