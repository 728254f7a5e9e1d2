"""One attempt of a call: its answer or error, its metrics, and whether another one follows."""

from types import TracebackType
from typing import Any, Self

from data_pipeline.domain.metrics_values import CALL_BOUNDS, Counted
from data_pipeline.domain.retry_decisions import parse_retry_after
from data_pipeline.http import call_context
from data_pipeline.http.call import Call
from data_pipeline.http.failures import Failure, failure_of, refused_status
from data_pipeline.http.responses import HTTPResponse
from data_pipeline.http_errors import CallError, DeadlineExceeded, ResponseTooLarge
from data_pipeline.structured_log import WARNING, log_event
from seeder.texts import Text

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Attempt:
    """One attempt of a call. Suppresses an error if another attempt follows, after `wait_s`."""

    wait_s = 0.0

    def __init__(self, call: Call) -> None:
        self._call, self._chunks, self._size = call, list[bytes](), 0
        self._is_handed_out = False

    def __enter__(self) -> Self:
        self._call.attempts += 1
        self._started_at = self._call.environment.clock()
        return self

    def receive(self, response: Any) -> None:
        """Take status and headers. Raises `Failure` unless the body is wanted."""
        call, status = self._call, response.status_code
        self._response = response
        if status in call.allowed_statuses or 200 <= status < 300:
            return
        location = response.headers.get("location")
        if status in _REDIRECTS and location and call.method in {"GET", "HEAD"}:
            call.redirect(location)
            raise _Redirected
        retry_after_s = parse_retry_after(response.headers, call.environment.now())
        raise refused_status(status, retry_after_s, is_transient=status in call.policy.retry_statuses)

    def hand_out(self) -> None:
        """Note that the caller reads the body.

        The call can then not be repeated.
        """
        self._is_handed_out = True

    def take(self, chunk: bytes) -> None:
        """Take a part of the body. Raises `Failure` if it is too large."""
        self._size += len(chunk)
        self._chunks.append(chunk)
        if self._size > self._call.policy.max_body_mb * 1_000_000:
            raise Failure(reason="too_large", cause="too large", is_transient=False, error=ResponseTooLarge)

    def response(self) -> HTTPResponse:
        """Return the complete answer."""
        return HTTPResponse(
            integration=self._call.policy.integration,
            url=self._call.facts["address"],
            status_code=self._response.status_code,
            headers=self._response.headers,
            content=b"".join(self._chunks),
        )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        call = self._call
        failure = failure_of(error)
        if failure is not None and failure.is_transient and call.deadline.left_s() <= 0:
            failure = Failure(reason="total_timeout", cause=failure.cause, is_transient=False, error=DeadlineExceeded)
        self._measure(failure.reason if failure else self._outcome(error))
        if isinstance(error, _Redirected):
            return True
        if failure is None:
            return False
        wait = None if self._is_handed_out else call.wait_after(failure)
        if wait is None:
            raise self._error(failure) from None
        self.wait_s = wait
        self._note_retry(failure, wait)
        return True

    def _outcome(self, error: BaseException | None) -> str:
        if error is None or self._is_handed_out:
            return "success"
        if isinstance(error, _Redirected):
            return "redirect"
        return "refused" if isinstance(error, CallError) else "aborted"

    def _measure(self, outcome: str) -> None:
        environment, integration = self._call.environment, self._call.policy.integration
        seconds = environment.clock() - self._started_at
        environment.measurements.count(integration, Counted.CALLS, outcome)
        environment.measurements.observe(
            integration, seconds, total=Counted.CALL_SECONDS, bucket=Counted.CALL_BUCKET, bounds=CALL_BOUNDS
        )

    def _note_retry(self, failure: Failure, wait: float) -> None:
        call, source = self._call, call_context.current_source()
        measurements, integration = call.environment.measurements, call.policy.integration
        facts: dict[str, Any] = {"integration": integration, "method": call.method, "attempt": call.attempts}
        facts |= {"reason": failure.reason, "wait_seconds": round(wait, 3)}
        facts |= {"request_id": call_context.current_request_id()}
        measurements.count(integration, Counted.CALL_RETRIES, failure.reason)
        log_event(WARNING, "external_http.retry", **facts)
        if source is not None:
            measurements.count(source, Counted.RETRIES, failure.reason)
            log_event(WARNING, "etl_http_retry", source=source, **facts)

    def _error(self, failure: Failure) -> CallError:
        call = self._call
        advice, left_s = "", max(call.deadline.left_s(), 0.0)
        if failure.retry_after_s is not None:
            advice = Text(
                " The server asks to wait {wait_s:g} s; {left_s:.3g} s are left.",
                wait_s=failure.retry_after_s,
                left_s=left_s,
            )
        return failure.error(
            **call.facts,
            cause=failure.cause,
            status_code=failure.status_code,
            advice=advice,
            problem=failure.cause,
            total_s=call.deadline.total_s,
            limit_mb=call.policy.max_body_mb,
        )


class _Redirected(Exception):
    """The next attempt goes to another address."""
