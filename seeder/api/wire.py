"""What goes over the wire: JSON, whatever the host's other views speak."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_LONGEST = 2**16  # bytes; what anybody has to say here is a tenth of that


class OnlyJson(BaseContentNegotiation):
    """There is one kind of answer, whatever a client would rather have."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  # the names are a promise of the framework
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class BoundedJson(JSONParser):
    """JSON that nobody can fill the memory or the stack with."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        text = stream.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise ParseError(f"The body is longer than {_LONGEST} bytes.")
        try:
            json.loads(text)  # as deep as it is, which its parent does not expect
            return super().parse(BytesIO(text), media_type, parser_context)
        except (RecursionError, ValueError) as error:
            raise ParseError("The body is not JSON.") from error
