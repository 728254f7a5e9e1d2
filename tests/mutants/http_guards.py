"""The guards of HTTP calls."""

from tests.mutants.mutant import Mutant

CALL, ATTEMPT, CONNECTING = (
    "data_pipeline/http/call.py",
    "data_pipeline/http/attempt.py",
    "data_pipeline/http/connecting.py",
)
CALLS = "tests/unit/data_pipeline/http/test_calls.py"
PINNED = "tests/unit/data_pipeline/http/test_pinned_addresses.py"
TRACES = "tests/unit/data_pipeline/http/test_call_traces.py"

HTTP = [
    Mutant(
        name="http: resolved addresses are checked",
        file=CONNECTING,
        old="if (problem := self._rules.address_problem(address, host, port)) is not None:",
        new="if (problem := self._rules.address_problem(address, host, port)) is not None and False:",
        tests=(PINNED,),
    ),
    Mutant(
        name="http: the connection is made to the checked address",
        file=CONNECTING,
        old="self._backend.connect_tcp(address, port, seconds, *options))\n\n\nclass DeadlineStream",
        new='self._backend.connect_tcp("127.0.0.9", port, seconds, *options))\n\n\nclass DeadlineStream',
        tests=(PINNED,),
    ),
    Mutant(
        name="http: an operation ends with the call",
        file=CONNECTING,
        old="return min(float(self), left)",
        new="return float(self)",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: nothing is read after the deadline",
        file=CONNECTING,
        old="        if left <= 0:\n",
        new="        if left <= -3:\n",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: redirects are checked again",
        file=CALL,
        old="self._url = self._allowed(self._url.join(location))",
        new="self._url = self._url.join(location)",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: another origin gets no secret",
        file=CALL,
        old="if _origin_of(self._url) != earlier:",
        new="if False:",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: a POST is not sent twice",
        file=CALL,
        old="if not failure.is_transient or not is_repeatable(self.method, self._headers):",
        new="if not failure.is_transient:",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: bodies are limited",
        file=ATTEMPT,
        old="if self._size > self._call.policy.max_body_mb * 1_000_000:",
        new="if False:",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: a streamed call is not repeated",
        file=ATTEMPT,
        old="wait = None if self._is_handed_out else call.wait_after(failure)",
        new="wait = call.wait_after(failure)",
        tests=(CALLS,),
    ),
    Mutant(
        name="http: headers are not logged",
        file="data_pipeline/http/extra.py",
        old="    _log.setLevel(logging.INFO)",
        new="    pass",
        tests=(TRACES,),
    ),
]
