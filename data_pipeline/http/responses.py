"""Answers of other systems."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_pipeline.http_errors import NotJson
from seeder.domain.human_format import format_count


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
        except _NotANumber as error:
            problem = f"{error} is not a number in JSON"
        except ArithmeticError:  # of `Decimal`
            problem = "the exponent of a number is too large"
        except ValueError:  # of `int`
            problem = f"an integer has more than {format_count(sys.get_int_max_str_digits(), 'digit')}"
        raise NotJson(
            integration=self.integration,
            address=self.url,
            problem=problem,
            size=len(self.content),
            type=self.headers.get("content-type", "none").partition(";")[0],
        )


class _NotANumber(ValueError):
    """A word that Python would read as a number."""


def _refuse_constant(word: str) -> None:
    raise _NotANumber(word)
