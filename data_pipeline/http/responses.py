"""Answers of other systems."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_pipeline.http_errors import NotJson
from seeder.domain.human_format import format_count
from seeder.texts import Text


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
            problem = Text("it is nested too deeply")
        except UnicodeDecodeError as error:
            problem = Text("byte {position} is not in UTF-8", position=error.start)
        except json.JSONDecodeError as error:
            problem = Text(
                "{problem} in line {line}, column {column}", problem=error.msg, line=error.lineno, column=error.colno
            )
        except _NotANumber as error:
            problem = Text("{value} is not a number in JSON", value=str(error))
        except ArithmeticError:  # of `Decimal`
            problem = Text("the exponent of a number is too large")
        except ValueError:  # of `int`
            problem = Text(
                "an integer has more than {digits}", digits=format_count(sys.get_int_max_str_digits(), "digit")
            )
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
