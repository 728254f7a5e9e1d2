"""Readers of settings: take the name and the value, return the value or raise `ConfigurationError`."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, TypeVar

from seeder.domain.plain_numbers import parse_whole_number
from seeder.domain.suggestions import nearest
from seeder.errors import ConfigurationError
from seeder.texts import Text

_MAX_INTEGER = 2**31 - 1
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_RATE = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)
_SECRET = re.compile(r"[!-~]{16,}", re.ASCII)
_PASSWORD = re.compile(r"[!-~]*", re.ASCII)


class _RedactedValue:
    def __repr__(self) -> str:
        return "…"


REDACTED = _RedactedValue()  # shown instead of a secret


def integer(min_value: int, max_value: int = _MAX_INTEGER) -> Callable[[str, object], int]:
    """Return a reader of integers, or of their plain digits, in a range."""

    def read(name: str, value: object) -> int:
        try:
            number = parse_whole_number(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not min_value <= number <= max_value:
            expected = Text("a whole number of at least {least}", least=min_value)
            if max_value < _MAX_INTEGER or (number or 0) > max_value:
                expected = Text("a whole number from {least} to {most}", least=min_value, most=max_value)
            raise ConfigurationError(setting=name, value=value, expected=expected)
        return number

    return read


def decimal(min_value: float, max_value: float) -> Callable[[str, object], float]:
    """Return a reader of numbers that may have decimals, or of their plain digits, in a range."""

    def read(name: str, value: object) -> float:
        is_number = not isinstance(value, bool) and _DECIMAL.fullmatch(str(value)) is not None
        if not is_number or not min_value <= float(str(value)) <= max_value:
            expected = Text("a number from {least:g} to {most:g}", least=min_value, most=max_value)
            raise ConfigurationError(setting=name, value=value, expected=expected)
        return float(str(value))

    return read


def boolean(name: str, value: object) -> bool:
    """Read true, yes, on, 1 and false, no, off, 0 in any case."""
    match str(value).strip().lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
        case _:
            raise ConfigurationError(setting=name, value=value, expected=Text("true or false"))


def boolean_or(choice: str) -> Callable[[str, object], bool | str]:
    """Return a reader of truth values and one other word."""

    def read(name: str, value: object) -> bool | str:
        if str(value).strip().lower() == choice:
            return choice
        try:
            return boolean(name, value)
        except ConfigurationError as error:
            expected = Text("true, false or {choice}", choice=choice)
            raise ConfigurationError(setting=name, value=value, expected=expected) from error

    return read


def text(name: str, value: object) -> str:
    """Read a text, which may be empty."""
    if not isinstance(value, str):
        raise ConfigurationError(setting=name, value=value, expected=Text("a text"))
    return value


def secret(name: str, value: object) -> str:
    """Read a secret, or an empty text. The error does not contain the value."""
    if not isinstance(value, str) or (value and not _SECRET.fullmatch(value)):
        expected = Text("at least 16 printable ASCII characters without blanks, or nothing")
        raise ConfigurationError(setting=name, value=REDACTED, expected=expected)
    return value


def password(name: str, value: object) -> str:
    """Read a secret that another system has chosen. The error does not contain the value."""
    if not isinstance(value, str) or not _PASSWORD.fullmatch(value):
        raise ConfigurationError(
            setting=name, value=REDACTED, expected=Text("printable ASCII characters without blanks")
        )
    return value


def by_agency(kind: type, expected: Text) -> Callable[[str, object], Mapping[str, Any]]:
    """Return a reader of a map of slugs of agencies to values of one type."""

    def read(name: str, value: object) -> Mapping[str, Any]:
        if not isinstance(value, Mapping) or not all(
            isinstance(one, str) and type(value[one]) is kind for one in value
        ):
            raise ConfigurationError(setting=name, value=value, expected=expected)
        return dict(value)

    return read


def one_of(*choices: str) -> Callable[[str, object], str]:
    """Return a reader of a closed set of texts."""

    def read(name: str, value: object) -> str:
        if value not in choices:
            expected = Text("one of {choices}", choices=", ".join(map(repr, choices)))
            raise ConfigurationError(setting=name, value=value, expected=expected)
        return str(value)

    return read


def throttle_rate(name: str, value: object) -> str:
    """Read a rate in the format of REST framework's throttles."""
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        expected = Text("a number per sec, min, hour or day, as '60/min'")
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return value


Settings = TypeVar("Settings")


def setting(read: Callable[[str, object], object], *, default: object, variable: str | None = None) -> Any:
    """Declare a setting as a field of a dataclass.

    A callable default creates a map or a list, which is not read from the environment. `variable` is the name of the
    environment variable if it is not the prefix and the name in upper case.
    """
    metadata = {"read": read, "variable": variable}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, repr=read not in {secret, password}, metadata=metadata)


def read_settings(declaration: type[Settings], configured: object, *, name: str) -> Settings:
    """Return the settings from the host's dictionary, otherwise from the environment, otherwise the defaults.

    `name` is that of the dictionary, and the prefix of the variables. Raises `ConfigurationError` for the first invalid
    one.
    """
    declared = _fields_by_name(declaration)
    if not isinstance(configured, Mapping) or not configured.keys() <= declared.keys():
        expected = Text("a dictionary with some of {names}", names=", ".join(declared))
        if isinstance(configured, Mapping):  # a misspelt name may hold a secret
            configured = dict.fromkeys(configured.keys() - declared.keys(), REDACTED)
            for suggestion in sorted(filter(None, (nearest(str(key), declared) for key in configured))):
                expected = Text("{expected}; nearest: {name}", expected=expected, name=suggestion)
        raise ConfigurationError(setting=name, value=configured, expected=expected)
    values = {}
    for key, one in declared.items():
        read, variable = one.metadata["read"], _variable(one, name)
        if key in configured:
            values[one.name] = read(f"{name}[{key!r}]", configured[key])
        elif one.default is not MISSING and variable in os.environ:
            values[one.name] = read(variable, os.environ[variable])
    return declaration(**values)


def ignored_variables(declaration: type[Any], *, name: str) -> Iterator[tuple[str, str]]:
    """Yield each environment variable that looks like a setting but has no effect, with a message without its value."""
    declared = _fields_by_name(declaration)
    readable = {_variable(one, name) for one in declared.values() if one.default is not MISSING}
    prefix = f"{name}_"
    # Kubernetes sets such variables for every service of the namespace.
    service_variable = re.compile(rf"{prefix}(.*_)?(SERVICE_HOST|SERVICE_PORT|PORT)(_.*)?")
    for variable in sorted(os.environ):
        key = variable[len(prefix) :]
        is_other = variable[: len(prefix)].upper() != prefix or service_variable.fullmatch(variable)
        if is_other or variable in readable:
            continue
        if not variable.startswith(prefix) or key not in declared:
            text = Text("{variable} is no setting and has no effect.", variable=variable)
            if suggestion := nearest(key, declared):
                text = Text(
                    "{variable} is no setting and has no effect. The nearest one is {suggestion!r}.",
                    variable=variable,
                    suggestion=f"{prefix}{suggestion}",
                )
            yield variable, text
        else:
            yield (
                variable,
                Text(
                    "{variable} has no effect: set {setting}[{key!r}] in the host's settings.",
                    variable=variable,
                    setting=name,
                    key=key,
                ),
            )


def _fields_by_name(declaration: type[Any]) -> Mapping[str, "Field[Any]"]:
    return {one.name.upper(): one for one in fields(declaration)}


def _variable(declared: "Field[Any]", prefix: str) -> str:
    return declared.metadata["variable"] or f"{prefix}_{declared.name.upper()}"
