"""Freight rates: snapshots of a JSON API, each loaded once.

A snapshot is identified by its sequence number, otherwise by the SHA-256 of its bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Self

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import HTTPClient, compute_idempotency_key, process_once, record_etl_run, record_etl_skip
from data_pipeline.domain.row_models import CURRENCY, NON_NEGATIVE, RowModel
from data_pipeline.http.responses import HTTPResponse
from data_pipeline.models import LoadLog
from data_pipeline.pipelines.errors import StaleSnapshot, UnexpectedContent
from data_pipeline.pipelines.pipeline_runs import PipelineRun, rows_upserted
from seeder.texts import Text

SOURCE = "logistics_etl"
INTEGRATION = "logistics"
TABLE = "freight_rates"
PATH = "/v1/freight-rates"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreightRowModel(RowModel):
    """A valid freight rate."""

    lane: str
    service: str
    price_per_kg: Decimal = field(metadata=NON_NEGATIVE)
    currency: str = field(metadata=CURRENCY)
    valid_from: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All rates that the API has at one time."""

    address: str
    seqno: int | None  # grows with each snapshot; None if the API does not number them
    file_sha256: str
    rates: Sequence[Any]

    @classmethod
    def of(cls, answer: HTTPResponse) -> Self:
        """Read an answer of the API. Raises `NotJson` or `UnexpectedContent`."""
        document = answer.json(parse_float=Decimal)
        match document:
            case {"rates": [_, *_] as rates} if type(document.get("seqno")) in {int, type(None)}:
                digest = sha256(answer.content).hexdigest()
                return cls(address=answer.url, seqno=document.get("seqno"), file_sha256=digest, rates=rates)
        expected = Text("object with a list `rates` that is not empty, and perhaps a whole number `seqno`,")
        raise UnexpectedContent(integration=INTEGRATION, expected=expected, address=answer.url)

    @property
    def fingerprint(self) -> dict[str, object]:
        """What identifies the snapshot."""
        return {"sha256": self.file_sha256} if self.seqno is None else {"seqno": self.seqno}


def run_logistics_etl(
    *,
    accept_older: bool = False,
    max_rejects: int | None = None,
    refresh_here: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> PipelineRun:
    """Load the current snapshot of freight rates, unless it was loaded before.

    A snapshot with a lower number than the last one is refused, because it would bring back old rates; with
    `accept_older` it is loaded. Raises `CallError`, `UnexpectedContent`, `StaleSnapshot` or `TooManyRejects`.
    """
    with record_etl_run(SOURCE, database=using):
        with HTTPClient(INTEGRATION) as client:
            snapshot = Snapshot.of(client.get(PATH))
        return _load(
            snapshot, accept_older=accept_older, max_rejects=max_rejects, refresh_here=refresh_here, using=using
        )


def _load(
    snapshot: Snapshot, *, accept_older: bool, max_rejects: int | None, refresh_here: bool, using: str
) -> PipelineRun:
    key = compute_idempotency_key(payload=snapshot.fingerprint, extra={"source_uri": snapshot.address})
    meta = {
        "source_uri": snapshot.address,
        "target_table": TABLE,
        "seqno": snapshot.seqno,
        "file_sha256": snapshot.file_sha256,
    }
    identity: dict[str, Any] = {"source": SOURCE, "payload_meta": meta, "idempotency_key": key}
    with process_once(using, **identity, refresh_here=refresh_here) as handle:
        if handle is None:
            record_etl_skip(SOURCE, database=using)
            return PipelineRun(source=SOURCE)
        counts = handle.load(
            snapshot.rates,
            into=TABLE,
            key=("lane", "service", "valid_from"),
            columns=FreightRowModel.columns(),
            parse=FreightRowModel.parse_known,
            max_rejects=max_rejects,
        )
        if not accept_older:  # after the load, which waits for other loads of the table
            _require_newest(snapshot, using=using)
        handle.update_meta(rows_in=counts.rows_in, rows_upserted=rows_upserted(counts))
    return PipelineRun.of(handle)


def _require_newest(snapshot: Snapshot, *, using: str) -> None:
    """Raise `StaleSnapshot` if the last loaded snapshot has a higher number."""
    loaded = LoadLog.objects.using(using).filter(
        source=SOURCE, succeeded_at__isnull=False, undone_at__isnull=True, payload_meta__source_uri=snapshot.address
    )
    last = loaded.order_by("-succeeded_at").values_list("payload_meta__seqno", flat=True).first()
    if snapshot.seqno is not None and last is not None and last > snapshot.seqno:
        raise StaleSnapshot(seqno=snapshot.seqno, address=snapshot.address, latest=last)
