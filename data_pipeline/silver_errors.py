"""Expected errors of transforms to silver. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError


class SilverError(PipelineError):
    """An object cannot be transformed."""


class BucketNotGiven(SilverError):
    """No {role} bucket is given. Use {option}, or set DATA_PIPELINE_{setting}."""


class SameBucket(SilverError):
    """The bucket {bucket} cannot be both source and destination: the objects that are written would be transformed
    again. Name another bucket."""


class BadBucket(SilverError):
    """{bucket!r} is not the name of a bucket, which has 3 to 255 letters, digits, dots, hyphens and underscores."""


class BadAgency(SilverError):
    """{agency_id!r} is not the id of an agency: it must be letters, digits, dots, hyphens and underscores."""


class BadKeyTemplate(SilverError):
    """SOURCE_KEY_TEMPLATE is {template!r}, but its only placeholder is {{agency_id}}. Use such as '{{agency_id}}/'."""


class KeyTooLong(SilverError):
    """{path} was not transformed: with the version, its key in silver would have {length:,} bytes, but 1,024 are
    allowed. Give the object a shorter key."""


class TooManyRefused(SilverError):
    """{path} was not transformed: {rejected} of {records} records were refused, but {limit}. The first one is in line
    {line}: {problem}. Correct the object, name its dialect, or raise MAX_REJECT_RATIO."""

    code = "too_many_rejects"


class SpoolFailed(SilverError):
    """{path} was not transformed: the temporary folder {folder} cannot be written ({cause}). Free space there, or set
    TMPDIR to another folder."""
