"""Expected errors of the pipelines. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError


class PipelinesMissing(PipelineError):
    """The app data_pipeline.pipelines is not installed. Add it to INSTALLED_APPS, and run `manage.py migrate`."""


class BadIds(PipelineError):
    """The ids cannot be requested: {problem}."""


class BadVendor(PipelineError):
    """{vendor!r} is not the code of a vendor: it must be a text of 1 to 64 characters without spaces around it."""


class UnexpectedContent(PipelineError):
    """{integration} returned no {expected} from {address}. Compare it with the documentation of the API. Nothing was
    loaded."""


class StaleSnapshot(PipelineError):
    """The snapshot {seqno} from {address} is older than {latest}, which is loaded. Nothing was changed. If the numbers
    began anew, accept it once with --accept-older."""
