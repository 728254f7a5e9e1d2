"""Price lists of vendors, in files of any dialect of prices. The vendor is given, not guessed from the file."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import (
    build_payload_meta,
    compute_idempotency_key,
    conf,
    process_once,
    record_etl_normalizing,
    record_etl_run,
    record_etl_skip,
)
from data_pipeline.domain.refused_records import RecordRefused
from data_pipeline.domain.rows import PriceRowModel
from data_pipeline.errors import BadRow
from data_pipeline.pipelines.apps import require_installed
from data_pipeline.pipelines.codes import is_code
from data_pipeline.pipelines.errors import BadVendor
from data_pipeline.pipelines.pipeline_runs import PipelineRun, rows_upserted
from data_pipeline.services.file_records import FileRecord, FileRecords
from seeder.texts import Text

SOURCE = "price_importer"
TABLE = "prices"


def import_prices(  # noqa: PLR0913  # the options of a load
    source_uri: str,
    *,
    vendor: str,
    dialect: str = "prices",
    sheet: str | None = None,
    key: str | None = None,
    max_rejects: int | None = None,
    refresh_here: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> PipelineRun:
    """Load a vendor's price list, each version once.

    The vendor is created if it is new. The file may have a column for the vendor, which must then be this one. Another
    idempotency `key` loads the file again.

    Raises `BadVendor`, `PipelinesMissing`, `ArtefactError`, `HeaderRefused`, `DialectError` or `TooManyRejects`.
    """
    require_installed()
    _check(vendor)
    records = FileRecords(source_uri, dialect=dialect, sheet=sheet, optional=["vendor"])
    facts = {"vendor": vendor, "target_table": TABLE, "dialect": records.dialect.name}
    meta = build_payload_meta(**records.identity(), extra={"source_uri": records.address.uri, **facts})
    key = key or compute_idempotency_key(**records.identity(), extra={**facts, "sheet": sheet})
    wait = timedelta(seconds=conf.load().lock_wait_s)
    identity: dict[str, Any] = {"source": SOURCE, "payload_meta": meta, "idempotency_key": key, "wait": wait}
    with (
        record_etl_run(SOURCE, database=using),
        process_once(using, **identity, refresh_here=refresh_here) as handle,
    ):
        if handle is None:
            record_etl_skip(SOURCE, database=using)
            return PipelineRun(source=SOURCE)
        _create_vendor(vendor, using=using)
        try:
            counts = handle.load(
                records,
                into=TABLE,
                key=("vendor", "sku", "valid_from"),
                columns=PriceRowModel.columns(),
                parse=_parser(vendor),
                max_rejects=max_rejects,
            )
        finally:
            errors = records.normalize_errors
            record_etl_normalizing(SOURCE, rows=records.count, errors=errors, database=using)
        handle.content_blake2b = records.content_blake2b
        handle.update_meta(
            file_sha256=records.file_sha256,
            rows=counts.rows_in,
            rows_upserted=rows_upserted(counts),
            rows_unchanged=counts.rows_unchanged,
            rows_rejected=counts.rows_rejected,
        )
    return PipelineRun.of(handle)


def _check(vendor: str) -> None:
    if not is_code(vendor):
        raise BadVendor(vendor=vendor)


def _create_vendor(vendor: str, *, using: str) -> None:
    from data_pipeline.pipelines.models import Vendor  # the app is optional

    Vendor.objects.using(using).get_or_create(code=vendor)


def _parser(vendor: str) -> Callable[[FileRecord], PriceRowModel]:
    def parse(record: FileRecord) -> PriceRowModel:
        if record.problems:
            raise RecordRefused(record.problems)
        given = record.get("vendor")
        if given not in {None, vendor}:
            raise BadRow(
                model="PriceRowModel",
                field="vendor",
                value=given,
                expected=Text("{vendor!r}, or absent", vendor=vendor),
            )
        return PriceRowModel.parse_known({**record, "vendor": vendor})

    return parse
