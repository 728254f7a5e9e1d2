"""The loading lane's settings as one frozen, validated object.

A setting is read from the dictionary `DATA_PIPELINE` in the host's settings, otherwise from an environment variable,
otherwise from its default.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from data_pipeline.domain.outbound_hosts import HostPattern
from data_pipeline.integration_settings import Integration, read_integrations
from data_pipeline.statistics_settings import StatisticsSettings
from seeder import settings_readers
from seeder.errors import ConfigurationError
from seeder.settings_readers import boolean, decimal, integer, one_of, password, read_settings, secret, setting, text
from seeder.texts import Text

_STATUS_CODES = frozenset(map(str, range(400, 600)))


def _folders(name: str, value: object) -> Sequence[str]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise ConfigurationError(setting=name, value=value, expected=Text("a list of folders"))
    return list(value)


def _buckets(name: str, value: object) -> Sequence[str]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise ConfigurationError(setting=name, value=value, expected=Text("a list of buckets"))
    return list(value)


def _ratio(name: str, value: object) -> float | None:
    """Read a share of rows from 0 to 1. An empty value is no limit."""
    if value in ("", None):
        return None
    try:
        share = float(str(value))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigurationError(setting=name, value=value, expected=Text("a share from 0 to 1, or nothing"))
    return share


def _list(name: str, value: object, expected: str) -> Sequence[str]:
    """Read a list of texts, which commas can separate."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, Sequence) or not all(isinstance(one, str | int) for one in items):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [text for one in items if (text := str(one).strip())]


def _hosts(name: str, value: object) -> Sequence[HostPattern]:
    expected = Text("hosts, separated by commas: 'api.example.com', 'api.example.com:8443' or '.example.com'")
    patterns = [HostPattern.parse(one) for one in _list(name, value, expected)]
    if None in patterns:
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [one for one in patterns if one is not None]


def _status_codes(name: str, value: object) -> Sequence[int]:
    expected = Text("HTTP status codes from 400 to 599, separated by commas")
    codes = _list(name, value, expected)
    if not all(one in _STATUS_CODES for one in codes):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [int(one) for one in codes]


@dataclass(frozen=True, kw_only=True)
class Settings(StatisticsSettings):
    """All settings. The name in upper case is the setting's name, and docs/reference/settings.md has the docstring."""

    key_by: str = setting(one_of("remote", "content"), default="remote")
    """What identifies a file. `remote`: its etag, or size and modification time. `content`: a hash of its bytes."""
    lock_wait_s: int = setting(integer(0), default=0)
    """Seconds to wait for another process that loads the same file, before this one gives up."""
    max_rejects: int = setting(integer(0), default=0)
    """Rejected rows that a load may have. With more, nothing of the file is loaded, and its rejects are kept."""
    max_reject_ratio: float | None = setting(_ratio, default=None)
    """Share of rejected rows that a load may have, from 0 to 1. Empty: only `MAX_REJECTS` limits. Otherwise both limits
    hold, but a `MAX_REJECTS` of 0 does not."""
    keep_rejects: int = setting(integer(1), default=10_000)
    """Rejected rows of a load that are kept. Later ones are only counted."""
    undo_days: int = setting(integer(0), default=30)
    """Days for which the previous values of updated and deleted rows are kept, so that the load can be undone. 0: none
    are kept."""
    keep_loads_days: int = setting(integer(0), default=0)
    """Days after which `prune_loads` deletes failed loads, with their rejects, and rejects that are not open any more.
    0: they are kept. Successful loads are never deleted, because their files would be loaded again."""
    refresh_after_load: bool = setting(boolean, default=True)
    """Queue a refresh of the views that depend on a loaded table. Needs the app `seeder` and its queue."""
    ingest_roots: Sequence[str] = setting(_folders, default=list)
    """Folders that `file://` addresses may be in. Empty: any folder, for commands; the API then accepts no file."""
    dialect_folders: Sequence[str] = setting(_folders, default=list)
    """Folders of the host's dialects, as `.toml` files. They win over dialects of the same name in the app."""
    ingest_schema: str = setting(text, default="public")
    """Schema of tables that `--table auto` creates."""
    ingest_streaming_enabled: bool = setting(boolean, default=True, variable="INGEST_STREAMING_ENABLED")
    """Mark loads of large files with `streaming` in their metadata. Every file is streamed, however large."""
    ingest_streaming_threshold_mb: int = setting(integer(0), default=50, variable="INGEST_STREAMING_THRESHOLD_MB")
    """Size in MB that a file must exceed to be marked with `streaming`."""
    ingest_streaming_chunk_size: int = setting(integer(0), default=0, variable="INGEST_STREAMING_CHUNK_SIZE")
    """Rows in a chunk, approximately. 0: `INGEST_STREAMING_CHUNK_SIZE_MB` applies."""
    ingest_streaming_chunk_size_mb: int = setting(integer(1, 64), default=4, variable="INGEST_STREAMING_CHUNK_SIZE_MB")
    """Size of a chunk in MB. PostgreSQL accepts or refuses a chunk as a whole; a refused one is parsed."""
    upload_root: str = setting(text, default="")
    """Folder of uploads. Web servers write it and workers read it, so on several machines it is on a shared volume.
    Empty: uploads need `UPLOAD_BUCKET`."""
    upload_bucket: str = setting(text, default="")
    """Bucket of uploads, instead of a folder. Empty: uploads need `UPLOAD_ROOT`."""
    max_upload_mb: int = setting(integer(1, 5120), default=1024)
    """Size in MB that an upload may have."""
    keep_uploads_days: int = setting(integer(0), default=30)
    """Days after which `prune_loads` deletes an upload that no request and no load has used since. It cannot be
    replayed or verified afterwards. 0: they are kept."""
    max_unpacked_mb: int = setting(integer(1), default=8192)
    """Size in MB to which a compressed file may grow."""
    xlsx_in_memory_mb: int = setting(integer(1), default=32)
    """Size in MB of a workbook's XML above which it is read as a stream, which takes longer and less memory."""
    pii_hash_key: str = setting(secret, default="")
    """Secret key of the hashes that are stored for personal columns with `pii = "hash"`. With another key, equal values
    get other hashes."""
    s3_endpoint_url: str = setting(text, default="", variable="S3_ENDPOINT_URL")
    """Address of the object storage. Empty: Amazon S3 in the region."""
    s3_region: str = setting(text, default="", variable="S3_REGION")
    """Region of the buckets. Empty: that of the client's own configuration, such as `AWS_REGION`."""
    s3_access_key_id: str = setting(text, default="", variable="S3_ACCESS_KEY_ID")
    """Id of the access key. Empty: the client finds credentials itself, in the environment, a profile or a role."""
    s3_secret_access_key: str = setting(password, default="", variable="S3_SECRET_ACCESS_KEY")
    """Secret of the access key. Never logged."""
    s3_connect_timeout_s: int = setting(integer(1, 3600), default=5, variable="S3_CONNECT_TIMEOUT_S")
    """Seconds to wait for a connection to the object storage."""
    s3_read_timeout_s: int = setting(integer(1, 3600), default=30, variable="S3_READ_TIMEOUT_S")
    """Seconds to wait for the next bytes of an answer. After a longer pause, reading continues on a new connection."""
    s3_min_rate_kb_s: int = setting(integer(0), default=16, variable="S3_MIN_RATE_KB_S")
    """KB per second with which an object must come. A slower connection is replaced. After four attempts, the storage
    is reported as unavailable. 0: no minimum."""
    s3_addressing_style: str = setting(
        one_of("auto", "path", "virtual"), default="auto", variable="S3_ADDRESSING_STYLE"
    )
    """Where the bucket is in a URL. `path`: behind the host. `virtual`: in front of it. `auto`: `path` with
    `S3_ENDPOINT_URL`, otherwise what Amazon recommends."""
    s3_max_pool: int = setting(integer(1, 1000), default=10, variable="S3_MAX_POOL")
    """Connections to the object storage that a process keeps open."""
    source_bucket: str = setting(text, default="")
    """Bucket that jobs read if they get no `--source-bucket`."""
    destination_bucket: str = setting(text, default="")
    """Bucket that jobs write if they get no `--destination-bucket`."""
    source_key_template: str = setting(text, default="{agency_id}/")
    """Beginning of the keys of an agency's objects in the source bucket."""
    silver_compression: str = setting(one_of("none", "gzip", "zstd"), default="none")
    """Compression of the objects that transforms write. `load_file` reads all of them. `zstd` needs the extra `zstd`
    before Python 3.14."""
    ingest_buckets: Sequence[str] = setting(_buckets, default=list)
    """Buckets that `s3://` addresses may name. Empty: any bucket, for commands; the API then accepts no object."""
    max_spooled_mb: int = setting(integer(1), default=1024)
    """Size in MB of a workbook in a bucket. It is copied to a temporary file, because its parts are not in order."""
    default_job: str = setting(text, default="get_s3_files")
    """Job that `data-pipeline` runs if the first argument is an option of the job."""
    job_packages: str = setting(text, default="")
    """Packages whose modules are jobs, separated by commas, beside the `jobs` packages of installed apps."""
    schedule_mv_refresh: bool = setting(boolean, default=False, variable="SCHEDULE_MV_REFRESH")
    """Let `schedule_pipelines` schedule the task `refresh_roi_mvs`, which queues what loads have requested and a killed
    process has not queued. `SEEDER_NIGHTLY_CRON` schedules the refresh of every view."""
    mv_refresh_cron: str = setting(text, default="0 2 * * *", variable="MV_REFRESH_CRON")
    """When `refresh_roi_mvs` runs, as a cron expression in the host's time zone."""
    schedule_logistics_etl: bool = setting(boolean, default=False, variable="SCHEDULE_LOGISTICS_ETL")
    """Let `schedule_pipelines` schedule the task `logistics_etl_full`."""
    logistics_cron: str = setting(text, default="0 3 * * *", variable="LOGISTICS_CRON")
    """When `logistics_etl_full` runs, as a cron expression in the host's time zone."""
    schedule_fees_h10: bool = setting(boolean, default=False, variable="SCHEDULE_FEES_H10")
    """Let `schedule_pipelines` schedule the task `fees_h10_refresh`, which loads the fees of all known articles."""
    fees_h10_cron: str = setting(text, default="0 4 * * *", variable="FEES_H10_CRON")
    """When `fees_h10_refresh` runs, as a cron expression in the host's time zone."""
    returns_partition_scaffold: bool = setting(boolean, default=False, variable="RETURNS_PARTITION_SCAFFOLD")
    """Let `partition_table` show and do its work. Otherwise it refuses."""
    log_format: str = setting(one_of("text", "json"), default="text")
    """Format of the log `data_pipeline`. `text`: the event, then `name=value`. `json`: one object."""
    http_connect_timeout_s: float = setting(decimal(0.001, 3600), default=5.0, variable="HTTP_CONNECT_TIMEOUT_S")
    """Seconds in which a connection to another system must be made."""
    http_read_timeout_s: float = setting(decimal(0.001, 3600), default=30.0, variable="HTTP_READ_TIMEOUT_S")
    """Seconds to wait for the next data of a response."""
    http_total_timeout_s: float = setting(decimal(0.001, 86_400), default=60.0, variable="HTTP_TOTAL_TIMEOUT_S")
    """Seconds in which a call must end, with all of its attempts, waits, redirects and bodies."""
    http_max_retries: int = setting(integer(0, 100), default=3, variable="HTTP_MAX_RETRIES")
    """Attempts after the first one. Only for methods that may be repeated, or with an idempotency key."""
    http_backoff_base_s: float = setting(decimal(0, 3600), default=0.5, variable="HTTP_BACKOFF_BASE_S")
    """Seconds to wait after the first attempt. The wait doubles with each further attempt."""
    http_backoff_max_s: float = setting(decimal(0, 3600), default=30.0, variable="HTTP_BACKOFF_MAX_S")
    """Longest wait between two attempts, without jitter."""
    http_backoff_jitter_s: float = setting(decimal(0, 3600), default=0.5, variable="HTTP_BACKOFF_JITTER_S")
    """Upper bound of the random time that is added to each wait, so that clients do not return at once."""
    http_retry_status_codes: Sequence[int] = setting(
        _status_codes, default=(429, 500, 502, 503, 504), variable="HTTP_RETRY_STATUS_CODES"
    )
    """Status codes after which a call is attempted again."""
    http_max_body_mb: int = setting(integer(1, 1024), default=64, variable="HTTP_MAX_BODY_MB")
    """Size in MB that a response may have in memory, decompressed. A streamed response has no limit."""
    http_max_pool: int = setting(integer(1, 1000), default=10, variable="HTTP_MAX_POOL")
    """Connections of a client at the same time."""
    allowed_hosts: Sequence[HostPattern] = setting(_hosts, default=())
    """Hosts that HTTP requests may go to, beside those of `BASE_URL`. A name with a dot first includes its subdomains.
    Without a port, only the default port of `https` is allowed."""
    private_hosts: Sequence[HostPattern] = setting(_hosts, default=())
    """Hosts that requests may go to by `http` as well, and whose addresses may be private or of this machine."""
    integrations: Mapping[str, Integration] = setting(read_integrations, default=dict)
    """Settings of single integrations by their names, such as `{"helium10": {"BASE_URL": "https://api.example.com"}}`."""
    metrics_prefix_awa: bool = setting(boolean, default=False, variable="METRICS_PREFIX_AWA")
    """Publish the metrics of retried operations also with names that begin with `awa_`."""

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_mb * 1024 * 1024

    @property
    def readable_folders(self) -> Sequence[str]:
        """Folders that files are loaded from. Empty: any."""
        return [*self.ingest_roots, *filter(None, [self.upload_root])] if self.ingest_roots else []

    @property
    def readable_buckets(self) -> Sequence[str]:
        """Buckets that objects are loaded from. Empty: any."""
        return [*self.ingest_buckets, *filter(None, [self.upload_bucket])] if self.ingest_buckets else []


def load_in_use() -> Settings:
    """Read the settings that Django uses.

    Without Django they are those of the environment.
    """
    return load_from(settings_in_use())


def settings_in_use() -> object | None:
    """Return the settings of Django, if it is configured already."""
    django_conf = sys.modules.get("django.conf")
    return django_conf.settings if django_conf is not None and django_conf.settings.configured else None


def load() -> Settings:
    """Read and validate the settings. Raises `ConfigurationError` for the first invalid one."""
    from django.conf import settings  # importing this module imports no Django

    return load_from(settings)


def load_from(host_settings: object) -> Settings:
    """Read and validate the settings in a module. It may be imported without Django."""
    return read_settings(Settings, getattr(host_settings, "DATA_PIPELINE", {}), name="DATA_PIPELINE")


def ignored_variables() -> Iterator[tuple[str, str]]:
    """Yield each environment variable that looks like a setting without being one.

    Each comes with a message that does not show its value.
    """
    return settings_readers.ignored_variables(Settings, name="DATA_PIPELINE")
