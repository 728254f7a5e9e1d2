"""A local HTTP server with the two APIs of the demo's marketplace, for the time of a block."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo.market import DATA

_FEES_OF_A_PAGE = 2


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/v1/fees":
            self._answer(_fees(parse_qs(parts.query)))
        elif parts.path == "/v1/freight-rates":
            self._answer(json.loads((DATA / "freight-rates.json").read_text(encoding="utf-8")))
        else:
            self.send_error(404)

    def _answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print no line for each request."""


def _fees(query: Mapping[str, list[str]]) -> Mapping[str, Any]:
    """Return a page of the fees of the requested articles."""
    known = json.loads((DATA / "fees.json").read_text(encoding="utf-8"))
    found = [one for one in known if one["asin"] in query.get("asin", ())]
    start = int(query.get("cursor", ["0"])[0])
    end = start + _FEES_OF_A_PAGE
    return {"fees": found[start:end], "next": str(end) if end < len(found) else None}


@contextmanager
def serving() -> Iterator[None]:
    """Serve the APIs on a free port, and let the integrations of this process call them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        host = f"127.0.0.1:{server.server_port}"
        variables = {f"{name}_BASE_URL": f"http://{host}" for name in ("HELIUM10", "LOGISTICS")}
        variables["DATA_PIPELINE_PRIVATE_HOSTS"] = host
        previous = dict(os.environ)
        os.environ.update(variables)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(previous)
            server.shutdown()
            thread.join()
