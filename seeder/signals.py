"""Django signals of refreshes. Public: a project connects receivers.

Each is sent after the commit that made it true, with `sender=None`. A receiver that raises does not fail a run: its
error is logged as `receiver_failed`. Receivers run in the process of the run, between two views, so they should be
short.

- `run_finished`: a run ended by itself. `run_id`, `succeeded`, `failed` (views and rejected manifests), `interrupted`
  (views), `stopped_by` (None, or such as SIGTERM). A run that was killed sends none.
- `view_failed`: a refresh failed, also if the one before did. `view`, `database` (alias), `agencies` (slugs that the
  run is for), `run_id`, `reason`, `sqlstate` (or None), `failures` (in a row, approximately).
- `view_held`: data checks held a view. Arguments as `view_failed`.
- `view_recovered`: a view was refreshed after it had failed or was held, or meets its freshness contract again.
  Arguments as `view_failed`; those of a contract as `view_late`.
- `view_late`: a freshness contract is breached. Sent once for each breach, by `send_notifications`. `view`, `database`,
  `agencies`, `contract` (id), `severity`, `reason`, `deadline` (ISO 8601, or None).
- `load_failed`: a load of `data_pipeline` failed. `load_id`, `source`, `reason`, `attempt`.
- `load_recovered`: a source whose failure was notified loads again, or its failures were undone or dismissed. `source`,
  `database`, `load_id` (None if no load has succeeded). Sent by `send_notifications`.
"""

from typing import Final

from django.dispatch import Signal

run_finished: Final = Signal()
view_failed: Final = Signal()
view_held: Final = Signal()
view_recovered: Final = Signal()
view_late: Final = Signal()
load_failed: Final = Signal()
load_recovered: Final = Signal()
