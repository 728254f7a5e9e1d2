"""Finds objects of bronze that are not in silver yet.

It lists both buckets. No object is read.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from data_pipeline import conf
from data_pipeline.domain.silver_objects import load_key, version_key, version_of
from data_pipeline.silver_errors import BadAgency, BadBucket, BadKeyTemplate, BucketNotGiven, SameBucket
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import ObjectVersion, is_bucket_name

_AGENCY = re.compile(r"[\w.-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class SilverRequest:
    """Which objects are transformed, and how."""

    source_bucket: str
    destination_bucket: str
    prefix: str
    dialect: str | None = None  # name or path; None for the one that fits the header
    force: bool = False  # also transform objects that are finished
    limit: int | None = None  # objects


@dataclass(frozen=True, kw_only=True, slots=True)
class SilverPlan:
    """The objects to transform."""

    due: Sequence[ObjectVersion]
    finished: int  # objects whose present version is in silver
    unrecorded: Sequence[str]  # keys of `unsettled` that are in silver
    waiting: int  # objects that failed, and are not tried now
    has_more: bool  # objects that exceed the limit


def silver_request(  # noqa: PLR0913  # the options of a run
    settings: conf.Settings,
    *,
    agency_id: str,
    source_bucket: str | None = None,
    destination_bucket: str | None = None,
    prefix: str = "",
    dialect: str | None = None,
    force: bool = False,
    limit: int | None = None,
) -> SilverRequest:
    """Return a request for the settings' buckets and key layout.

    Raises `SilverError`.
    """
    if not _AGENCY.fullmatch(agency_id):
        raise BadAgency(agency_id=agency_id)
    buckets = {
        "source": source_bucket or settings.source_bucket,
        "destination": destination_bucket or settings.destination_bucket,
    }
    for role, bucket in buckets.items():
        if not bucket:
            raise BucketNotGiven(role=role, option=f"--{role}-bucket", setting=f"{role.upper()}_BUCKET")
        if not is_bucket_name(bucket):
            raise BadBucket(bucket=bucket)
    if buckets["source"] == buckets["destination"]:
        raise SameBucket(bucket=buckets["source"])
    return SilverRequest(
        source_bucket=buckets["source"],
        destination_bucket=buckets["destination"],
        prefix=_agency_prefix(settings.source_key_template, agency_id) + prefix,
        dialect=dialect,
        force=force,
        limit=limit,
    )


def plan_silver(
    store: ObjectStore,
    request: SilverRequest,
    *,
    unsettled: Collection[str] = (),
    waiting: Collection[str] = (),
) -> SilverPlan:
    """Return what is to be transformed, in the order of the keys.

    `unsettled` are the keys of versions whose loads have not succeeded, as by `version_key`. `waiting` are the
    idempotency keys of dead letters that are not tried now.
    A thousand objects cost one request to each bucket. Memory grows with the number of finished objects, by some 200
    bytes each. Raises `StoreError`.
    """
    finished = set() if request.force else set(_finished_versions(store, request))
    found = held = 0

    def due() -> Iterator[ObjectVersion]:
        nonlocal found, held
        for version in store.list(request.source_bucket, prefix=request.prefix):
            if version.key.endswith("/"):  # a folder in the consoles of vendors
                continue
            if version_key(version.key, version.etag) in finished:
                found += 1
            elif waiting and load_key(version.uri, version.etag) in waiting and not request.force:
                held += 1
            else:
                yield version

    versions = due()
    chosen = list(islice(versions, request.limit))
    has_more = request.limit is not None and next(versions, None) is not None
    return SilverPlan(
        due=chosen,
        finished=found,
        unrecorded=[one for one in unsettled if one in finished],
        waiting=held,
        has_more=has_more,
    )


def _finished_versions(store: ObjectStore, request: SilverRequest) -> Iterator[str]:
    for written in store.list(request.destination_bucket, prefix=request.prefix):
        if (version := version_of(written.key)) is not None:
            yield version


def _agency_prefix(template: str, agency_id: str) -> str:
    try:
        return template.format(agency_id=agency_id)
    except (LookupError, ValueError, AttributeError) as error:
        raise BadKeyTemplate(template=template) from error
