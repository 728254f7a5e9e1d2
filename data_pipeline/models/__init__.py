"""Tables of the loading lane, which migrations create in the default schema."""

from data_pipeline.models.dead_letters import LoadDeadLetter
from data_pipeline.models.load_changes import LoadChange
from data_pipeline.models.load_events import LoadEvent
from data_pipeline.models.load_log import LoadLog
from data_pipeline.models.load_rejects import LoadReject
from data_pipeline.models.load_requests import LoadRefresh, LoadRequest
from data_pipeline.models.load_totals import LoadTotal

__all__ = [
    "LoadChange",
    "LoadDeadLetter",
    "LoadEvent",
    "LoadLog",
    "LoadRefresh",
    "LoadReject",
    "LoadRequest",
    "LoadTotal",
]
