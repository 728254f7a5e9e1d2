"""Answers of other systems."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_pipeline.http_errors import NotJson


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPResponse:
    """A complete answer. `headers` finds names in any case."""

    integration: str
    url: str  # the last one, without its query
    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # decompressed

    @property
    def text(self) -> str:
        """The content, which must be UTF-8.

        Other bytes are replaced.
        """
        return self.content.decode(errors="replace")

    def json(self, *, parse_float: Callable[[str], Any] = float) -> Any:
        """Return the value of the JSON content. `parse_float=Decimal` keeps every digit. Raises `NotJson`."""
        try:
            return json.loads(self.content, parse_float=parse_float, parse_constant=_refuse_constant)
        except RecursionError:
            problem = "it is nested too deeply"
        except UnicodeDecodeError as error:
            problem = f"byte {error.start} is not in UTF-8"
        except json.JSONDecodeError as error:
            problem = f"{error.msg} in line {error.lineno}, column {error.colno}"
        except ValueError as error:
            problem = str(error)
        raise NotJson(
            integration=self.integration,
            address=self.url,
            problem=problem,
            size=len(self.content),
            type=self.headers.get("content-type", "none").partition(";")[0],
        )


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number in JSON")
