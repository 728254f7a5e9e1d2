"""Fees of a marketplace: a paged JSON API that is queried for a set of ids.

The key of a load is the set of ids, so a set that was loaded needs no request.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import (
    HTTPClient,
    compute_idempotency_key,
    process_once,
    record_etl_run,
    record_etl_skip,
)
from data_pipeline.domain.row_models import CURRENCY, NON_NEGATIVE, RowModel
from data_pipeline.errors import BadRow
from data_pipeline.http.paging import iterate_pages
from data_pipeline.http.policy import policy_of
from data_pipeline.http.responses import HTTPResponse
from data_pipeline.pipelines.apps import require_installed
from data_pipeline.pipelines.codes import MAX_CODE_LENGTH, is_code
from data_pipeline.pipelines.errors import BadIds, UnexpectedContent
from data_pipeline.pipelines.pipeline_runs import PipelineRun
from seeder.texts import Text

SOURCE = "fees_h10"
INTEGRATION = "helium10"
TABLE = "fees"
PATH = "/v1/fees"
_IDS_OF_A_REQUEST = 50
_MAX_PAGES = 100  # of a request
_MAX_MISSING_KEPT = 100  # ids in `payload_meta`


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeRowModel(RowModel):
    """The valid fees of an article."""

    asin: str
    sales_price: Decimal = field(metadata=NON_NEGATIVE)
    referral_fee: Decimal = field(metadata=NON_NEGATIVE)
    fulfilment_fee: Decimal = field(metadata=NON_NEGATIVE)
    currency: str = field(metadata=CURRENCY)


def refresh_fees(
    asins: Iterable[str],
    *,
    edition: str = "",
    max_rejects: int | None = None,
    refresh_here: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> PipelineRun:
    """Load the fees of articles, each set of ids once.

    Another `edition`, such as a day, loads the set again. Everything is requested before the first row is written, so
    that no transaction waits for the API. `refresh_here` is that of `process_once`.

    Raises `BadIds`, `CallError`, `UnexpectedContent` or `TooManyRejects`.
    """
    ids = _checked_ids(asins)
    url = policy_of(INTEGRATION).base_url.rstrip("/") + PATH
    key = compute_idempotency_key(payload=ids, extra={"edition": edition})
    meta = {"source_uri": url, "target_table": TABLE, "asin_count": len(ids), "edition": edition}
    identity: dict[str, Any] = {"source": SOURCE, "payload_meta": meta, "idempotency_key": key}
    with (
        record_etl_run(SOURCE, database=using),
        process_once(using, **identity, refresh_here=refresh_here) as handle,
    ):
        if handle is None:
            record_etl_skip(SOURCE, database=using)
            return PipelineRun(source=SOURCE)
        records = _fetch(ids, url)
        found = {record.get("asin") for record in records if isinstance(record, dict)}
        missing = [one for one in ids if one not in found]
        handle.update_meta(asin_missing=len(missing), asins_missing=missing[:_MAX_MISSING_KEPT])
        handle.load(
            records,
            into=TABLE,
            key=("asin",),
            columns=FeeRowModel.columns(),
            parse=_parser(ids),
            max_rejects=max_rejects,
        )
        handle.update_meta(rows=len(records))
    return PipelineRun.of(handle)


def known_asins(using: str = DEFAULT_DB_ALIAS) -> Sequence[str]:
    """Return the ids of all articles whose fees are loaded."""
    require_installed()  # everything else works with a table of the host, too
    from data_pipeline.pipelines.models import Fee

    return list(Fee.objects.using(using).order_by("asin").values_list("asin", flat=True))


def _checked_ids(asins: Iterable[object]) -> Sequence[str]:
    """Return each id once, in order. Raises `BadIds`."""
    ids = set[str]()
    for one in [asins] if isinstance(asins, str) else asins:
        if not isinstance(one, str) or not is_code(one):
            raise BadIds(
                problem=Text(
                    "{id!r} is not a text of 1 to {limit} characters without spaces around it",
                    id=one,
                    limit=MAX_CODE_LENGTH,
                )
            )
        ids.add(one)
    if not ids:
        raise BadIds(problem=Text("none is given"))
    return sorted(ids)


def _fetch(ids: Sequence[str], url: str) -> list[Any]:
    """Return the records of all ids. Raises `UnexpectedContent` if there are none."""
    records = list[Any]()
    with HTTPClient(INTEGRATION) as client:
        for start in range(0, len(ids), _IDS_OF_A_REQUEST):
            pages = iterate_pages(
                _page_fetcher(client, ids[start : start + _IDS_OF_A_REQUEST]),
                integration=INTEGRATION,
                max_pages=_MAX_PAGES,
            )
            for page in pages:
                records += page
    if not records:
        raise UnexpectedContent(
            integration=INTEGRATION,
            expected=Text.counted("fee of {number} article", "fee of {number} articles", len(ids)),
            address=url,
        )
    return records


def _page_fetcher(client: HTTPClient, ids: Sequence[str]) -> Callable[[str | None], tuple[list[Any], str | None]]:
    def fetch(cursor: str | None) -> tuple[list[Any], str | None]:
        params = {"asin": list(ids)} | ({"cursor": [cursor]} if cursor else {})
        return _page(client.get(PATH, params=params))

    return fetch


def _page(answer: HTTPResponse) -> tuple[list[Any], str | None]:
    """Return the records and the next cursor. Raises `NotJson` or `UnexpectedContent`."""
    match answer.json(parse_float=Decimal):
        case {"fees": list(records), "next": str() | None as cursor}:
            return records, cursor
    expected = Text("object with a list `fees` and a text or null `next`")
    raise UnexpectedContent(integration=INTEGRATION, expected=expected, address=answer.url)


def _parser(ids: Iterable[str]) -> Callable[[object], FeeRowModel]:
    requested = frozenset(ids)

    def parse(record: object) -> FeeRowModel:
        row = FeeRowModel.parse_known(record)
        if row.asin not in requested:
            raise BadRow(model="FeeRowModel", field="asin", value=row.asin, expected=Text("one of the requested ids"))
        return row

    return parse
