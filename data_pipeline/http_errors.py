"""Expected errors of calls to other systems. The docstring of an error is its message.

No error contains a header, a body, a query or credentials.
"""

from data_pipeline.errors import PipelineError


class CallError(PipelineError):
    """A call to another system has failed."""


class UrlRefused(CallError):
    """{address} cannot be requested for {integration}: {problem}. If it is meant, change the setting; see the page
    "Call an external API"."""


class AddressRefused(CallError):
    """{host} cannot be requested: its address {address} is refused, because {problem}."""


class BadRequest(CallError):
    """The request {method} {address} of {integration} cannot be sent: {problem}."""


class CallFailed(CallError):
    """{method} {address} of {integration} failed after {attempts}: {cause}. Nothing was received; try again later."""


class UnexpectedStatus(CallError):
    """{method} {address} of {integration} was answered with the status {status_code} after {attempts}.{advice}"""

    @property
    def status_code(self) -> object:
        """The status of the last answer."""
        return self.facts["status_code"]


class DeadlineExceeded(CallError):
    """{method} {address} of {integration} did not end within {total_s:g} s, after {attempts}: {cause}. Try again later,
    or raise HTTP_TOTAL_TIMEOUT_S or the timeout of the integration."""


class ResponseTooLarge(CallError):
    """The response of {integration} to {method} {address} is larger than {limit_mb} MB. Ask for less, stream it, or
    raise HTTP_MAX_BODY_MB."""


class NotJson(CallError):
    """The response of {integration} from {address} is not JSON: {problem}. It has {size} bytes of the type {type}."""


class TooManyRedirects(CallError):
    """{method} {address} of {integration} was redirected more than {limit} times."""


class TooManyPages(CallError):
    """{integration} returned {problem} after {pages} pages. Nothing more was requested."""
