"""JSON parsing and rendering, independent of the host's REST settings."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_MAX_BODY_BYTES = 2**16  # ten times the largest useful body


class JSONOnlyNegotiation(BaseContentNegotiation):
    """Answer in JSON, regardless of the Accept header."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  # DRF passes it by name
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class LimitedJSONParser(JSONParser):
    """A JSON parser that rejects large bodies and deep nesting."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read(_MAX_BODY_BYTES + 1)
        if len(body) > _MAX_BODY_BYTES:
            raise ParseError(f"The body is longer than {_MAX_BODY_BYTES} bytes.")
        try:
            json.loads(body)  # raises RecursionError for deep nesting, which the parent class does not catch
            return super().parse(BytesIO(body), media_type, parser_context)
        except (RecursionError, ValueError) as error:
            raise ParseError("The body is not JSON.") from error
