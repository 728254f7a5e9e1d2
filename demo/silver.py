"""The demo's files in a bucket, as they would be delivered."""

from collections.abc import Iterator

from data_pipeline import conf
from data_pipeline.domain.fingerprints import file_fingerprint
from data_pipeline.storage import s3
from data_pipeline.storage.object_store import ObjectStore
from demo.files import FILES

BRONZE, SILVER = "bronze", "silver"
AGENCY = "demo"
_COPIED_AT_ONCE = 1 << 20


def deliver_files(settings: conf.Settings) -> Iterator[str]:
    """Write the files into the bucket of bronze, unless they are there. Yield the keys of those that were written."""
    client, store = s3.open_client(settings), ObjectStore(settings)
    known = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    for bucket in {BRONZE, SILVER} - known:
        client.create_bucket(Bucket=bucket)
    sizes = {found.key: found.size for found in store.list(BRONZE, prefix=f"{AGENCY}/")}
    for file in FILES:
        key = f"{AGENCY}/{file.name}"
        if sizes.get(key) == file_fingerprint(file.path)["size_bytes"]:
            continue
        with file.path.open("rb") as source, store.put(BRONZE, key) as target:
            while piece := source.read(_COPIED_AT_ONCE):
                target.write(piece)
        yield key
