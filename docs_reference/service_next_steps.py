"""What an operator looks at and does after an error of object storage, a transform, a call, a dialect or a job."""

from collections.abc import Mapping

_ARGUMENTS = "Correct the arguments or settings of the job, such as in the manifest of its CronJob."
_DIALECT = "Correct the file of the dialect; `manage.py check` finds the same problem."
_INTEGRATION = "See [calls that fail](../how-to/runbook.md#a-call-to-another-system-fails) by the named cause."
_CODE = "Correct the module of the job; `data-pipeline list` shows whether it can be used."

STORAGE: Mapping[str, str] = {
    "OutsideBuckets": "Add a bucket only if the loader may read all of it.",
    "AccessDenied": "Look at [the permissions](../how-to/load-from-a-bucket.md#credentials) of the role and the"
    " policy of the bucket; a KMS key can deny as well.",
    "ObjectExists": "Another process wrote the object first; its content is complete.",
    "StoreRefused": "Look the code up in the documentation of the server.",
    "TooLargeToSpool": "Raise `MAX_SPOOLED_MB` only if the temporary folder has the space.",
    "BucketMissing": "`aws s3 ls --endpoint-url ENDPOINT` lists the buckets of these credentials.",
    "CredentialsMissing": "Check that the pod's service account has the role, and that the variables reach the"
    " process.",
    "IssuerUnavailable": "Usually AWS STS, at `AWS_ENDPOINT_URL_STS` or that of the region: see the network policy of"
    " the pod. Then `manage.py dead_letters --replay`.",
    "CredentialsRefused": "`InvalidAccessKeyId`, `SignatureDoesNotMatch`: correct the keys; `ExpiredToken`: renew"
    " them; `AuthorizationHeaderMalformed` under another error: set `S3_REGION`.",
    "ClockSkewed": "`timedatectl` shows the clock; signatures allow 15 minutes.",
    "CertificateRefused": "The certificate expired, or its authority is unknown here.",
    "NotObjectStorage": "`curl -i ENDPOINT` shows what answers: usually a proxy, a login page or the console of the"
    " storage.",
    "StoreUnavailable": "See the status page of the server, the network, `S3_CONNECT_TIMEOUT_S` and"
    " `S3_READ_TIMEOUT_S`. Then `manage.py dead_letters --replay`.",
}
TRANSFORMS: Mapping[str, str] = {
    "BucketNotGiven": _ARGUMENTS,
    "SameBucket": _ARGUMENTS,
    "BadBucket": _ARGUMENTS,
    "BadAgency": _ARGUMENTS,
    "BadKeyTemplate": _ARGUMENTS,
    "KeyTooLong": "Ask the sender for a shorter key.",
    "TooManyRefused": "`manage.py rejects LOAD` has the refused records.",
    "SpoolFailed": "`df FOLDER` in the container. The volume needs the size of the largest result.",
}
CALLS: Mapping[str, str] = {
    "UrlRefused": "See [allowed hosts](../how-to/call-an-external-api.md#allowed-hosts). Allow a host only if it is"
    " meant.",
    "AddressRefused": "`getent hosts HOST` in the container. An internal address of a public name can be an attack.",
    "BadRequest": _INTEGRATION,
    "CallFailed": _INTEGRATION,
    "UnexpectedStatus": _INTEGRATION,
    "DeadlineExceeded": _INTEGRATION,
    "ResponseTooLarge": _INTEGRATION,
    "NotJson": "Usually the page of a proxy or of a login: request the address with `curl -i`.",
    "TooManyRedirects": "`curl -IL ADDRESS` shows them. Set the final address as BASE_URL.",
    "TooManyPages": "The cursor of the API does not advance: report it to its operator.",
}
DIALECTS: Mapping[str, str] = {
    "UnknownDialect": "`DIALECT_FOLDERS` of this process may differ from that of the machine where it works.",
    "DialectUnreadable": _DIALECT,
    "UnknownDialectKey": _DIALECT,
    "BadDialectValue": _DIALECT,
    "AmbiguousHeader": "Two dialects require the same columns. Name one with `--dialect`, or let one require another"
    " column.",
    "DialectFileExists": "Nothing was overwritten.",
    "BadReference": "Look at the table or file of the lookup: a column is missing, or a key has several values.",
    "ReferenceNeedsDatabase": "The environment of the job lacks `DJANGO_SETTINGS_MODULE`.",
    "ReferenceChanged": "Compare the table or file of the lookup with its state at the time of the load. Load the"
    " file again to have the present values.",
}
JOBS: Mapping[str, str] = {
    "UnknownJob": "`data-pipeline list` in the same container: an image may be older than the job.",
    "UnknownDefaultJob": _ARGUMENTS,
    "AmbiguousJob": _CODE,
    "UnusableJob": _CODE,
    "MalformedJob": _CODE,
    "UnknownJobPackage": "`pip show PACKAGE` in the same container.",
    "BadExitCode": _CODE,
    "BadJobName": _CODE,
    "JobFileExists": "Nothing was overwritten.",
}
PIPELINES: Mapping[str, str] = {
    "PipelinesMissing": "Compare INSTALLED_APPS of this process with that of the web process.",
    "BadIds": _ARGUMENTS,
    "BadVendor": _ARGUMENTS,
    "UnexpectedContent": "Request the address with `curl -i`: the API has changed, or another system answers.",
    "StaleSnapshot": "The API may have served an old copy: wait for the next one. See [freight"
    " rates](../how-to/pipelines.md#freight-rates).",
}
STATISTICS: Mapping[str, str] = {
    "InvalidROIViewError": "Correct ROI_VIEW_NAME, or add the view to ROI_VIEWS_ALLOWED.",
    "UnknownStatistic": "Compare STATS_VIEWS. A user with agencies sees only views of these: [limits by agency]"
    "(../how-to/statistics.md#limits-by-agency).",
    "StatisticViewMissing": "`\\d VIEW` in psql. The name needs its schema, unless that is `reporting` or in the search"
    " path.",
    "StatisticViewEmpty": "Look for the failed refresh: `manage.py refresh_status`.",
    "StatisticViewReplaced": "Several processes refresh or replace the view at once: `manage.py queue_status`.",
    "ScoreColumnMissing": "`\\d VIEW` in psql shows the columns.",
    "PeriodTooLong": "Shorten the period, or raise STATS_MAX_DAYS.",
    "PageOutdated": "Read the pages again, faster or larger: `pageSize`.",
    "TooManyScoredRows": "Split the ids into several requests.",
    "UnknownFilter": "Correct the name. The message lists the columns.",
    "ColumnNotFilterable": "A view can have another column, such as a text of the value.",
    "BadFilterValue": "Correct the value.",
    "NoDateColumn": "Name the column in STATS_DATE_COLUMNS.",
}
