"""The last steps of an OpenAPI schema: shared enums and responses, and examples.

A generated client then has one type for each enum, regardless of how often it occurs.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from json import dumps, loads
from typing import Any

from rest_framework import status

Schema = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationExample:
    """The body of a request and of its successful response.

    `accepted` is the body with the status 202 if the operation has another status of success, too. `others` are bodies
    of other media types than JSON.
    """

    request: Any = None
    response: Any = None
    accepted: Any = None
    others: Mapping[str, Any] = field(default_factory=dict)


def operations_of(document: Schema) -> Iterator[Schema]:
    for path in document["paths"].values():
        yield from (path[method] for method in _METHODS if method in path)


def share_enums(document: Schema, enums: Iterable[type[Enum]]) -> None:
    """Move each enum with the values of one of these into a component with its name."""
    names = {frozenset(map(str, one)): one.__name__ for one in enums}
    shared: Schema = {}
    for schema in [*_schemas_with_enum(document)]:
        schema.pop("x-spec-enum-id", None)
        values = [value for value in schema["enum"] if value is not None]
        if name := names.get(frozenset(values)):
            shared[name] = {"type": "string", "enum": values}
            _refer_to(name, schema)
        elif not all(map(str.isidentifier, values)):
            schema["x-enum-varnames"] = [_constant_name(value) for value in values]
    schemas: Schema = document["components"]["schemas"]
    document["components"]["schemas"] = dict(sorted((schemas | shared).items()))


def share_responses(document: Schema) -> None:
    """Move the most frequent response of each status, except of success, into a component."""
    occurrences: dict[str, Counter[str]] = {}
    for operation in operations_of(document):
        for code, response in operation["responses"].items():
            if not status.is_success(int(code)):
                occurrences.setdefault(code, Counter())[dumps(response)] += 1
    shared = {code: counter.most_common(1)[0][0] for code, counter in sorted(occurrences.items())}
    for operation in operations_of(document):
        for code, response in operation["responses"].items():
            if shared.get(code) == dumps(response):
                operation["responses"][code] = {"$ref": f"#/components/responses/{_response_name(code)}"}
    document["components"]["responses"] = {_response_name(code): loads(text) for code, text in shared.items()}


def add_problems(document: Schema, problems: Iterable[Mapping[str, Any]]) -> None:
    """Add examples to the responses of statuses that have none."""
    by_status = {str(problem["status"]): problem for problem in problems}
    for code, problem in by_status.items():
        own = (operation["responses"].get(code, {}) for operation in operations_of(document))
        for response in (document["components"]["responses"][_response_name(code)], *own):
            for media_type in response.get("content", {}).values():
                media_type.setdefault("examples", {problem["title"]: {"value": problem}})


def add_examples(
    document: Schema, examples: Mapping[str, OperationExample], parameter_examples: Mapping[str, Any]
) -> None:
    """Add examples of operations by operation id, and of parameters by name."""
    for operation in operations_of(document):
        example = examples.get(operation["operationId"], OperationExample())
        _add_example(operation.get("requestBody", {}), example.request, example.others)
        for code, response in operation["responses"].items():
            if status.is_success(int(code)):
                is_accepted = int(code) == status.HTTP_202_ACCEPTED
                _add_example(response, (is_accepted and example.accepted) or example.response, example.others)
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in parameter_examples:
                value = parameter_examples[parameter["name"]]
                parameter["example"] = [value] if parameter["schema"].get("type") == "array" else value


def _add_example(body: Schema, value: Any, others: Mapping[str, Any]) -> None:
    for name, media_type in body.get("content", {}).items():
        example = others.get(name, value)
        if example is not None:
            media_type["example"] = example


def _schemas_with_enum(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict) and isinstance(node.get("enum"), list):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _schemas_with_enum(child)


def _refer_to(name: str, schema: Schema) -> None:
    """Replace the enum in a schema by a reference to a component."""
    for key in ("type", "enum", "minLength"):
        schema.pop(key, None)
    reference = {"$ref": f"#/components/schemas/{name}"}
    schema.update({"allOf": [reference]} if schema else reference)  # a reference cannot have other keys


def _constant_name(value: str) -> str:
    """Return the name of a value in generated code: `-startTime` becomes `START_TIME_REVERSED`."""
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", value.lstrip("-")).upper()
    return f"{name}_REVERSED" if value.startswith("-") else name


def _response_name(code: str) -> str:
    """Return the name of a shared response: `NotFound` for 404."""
    return re.sub("[^A-Za-z]", "", HTTPStatus(int(code)).phrase.title())
