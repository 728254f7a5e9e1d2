"""The OpenAPI schemas: examples, tags and names in generated clients."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from jsonschema_rs import Draft202012Validator
from rest_framework import status

from data_pipeline.api.openapi import PIPELINE
from seeder.api.openapi import SEEDER, SchemaOptions, build_schema
from seeder.api.schema_document import operations_of

APPS = [SEEDER, PIPELINE]
Schema = dict[str, Any]
Case = tuple[str, Any, Schema]  # what has the example, the example and its schema

every_app = pytest.mark.parametrize("options", APPS, ids=lambda options: options.title)


def without_nullable(node: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON schema, in which objects have no other properties."""
    if isinstance(node, list):
        return [without_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    schema = {
        key: without_nullable(value) for key, value in node.items() if key != "nullable" or isinstance(value, dict)
    }
    if isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


def examples_of(document: Schema) -> Iterator[Case]:
    """Yield the examples of a schema. A media type without one yields None."""
    for operation in operations_of(document):
        name = operation["operationId"]
        for media_type in operation.get("requestBody", {}).get("content", {}).values():
            yield f"request of {name}", media_type.get("example"), media_type["schema"]
        for code, response in operation["responses"].items():
            for media_type in response.get("content", {}).values():
                example = media_type.get("example") if status.is_success(int(code)) else problem_of(media_type)
                yield f"{code} of {name}", example, media_type["schema"]
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                yield f"{parameter['name']} of {name}", parameter["example"], parameter["schema"]
    for name, response in document["components"]["responses"].items():
        for media_type in response.get("content", {}).values():
            yield name, problem_of(media_type), media_type["schema"]


def problem_of(media_type: Schema) -> Any:
    [example] = media_type.get("examples", {"": {"value": None}}).values()
    return example["value"]


def refuted(document: Schema) -> list[str]:
    """Return what is wrong with the examples of a schema."""
    schemas = without_nullable(document["components"]["schemas"])
    problems = []
    for name, example, schema in examples_of(document):
        root = {**without_nullable(schema), "components": {"schemas": schemas}}
        errors = Draft202012Validator(root, validate_formats=True).iter_errors(example)
        problems += [f"{name}: /{'/'.join(map(str, error.instance_path))} {error.message}" for error in errors]
    return problems


@every_app
def test_every_body_has_valid_example(options: SchemaOptions) -> None:
    assert refuted(build_schema(options)) == []


def test_missing_and_invalid_examples_are_found() -> None:
    document = deepcopy(build_schema(SEEDER))
    bodies = {
        operation["operationId"]: operation["responses"]["200"]["content"]["application/json"]
        for operation in operations_of(document)
        if operation["operationId"] in ("getJob", "listRuns")
    }
    del bodies["listRuns"]["example"]
    job = bodies["getJob"]["example"]
    del job["errors"]
    job |= {"status": "great", "startTime": "yesterday", "more": 1}
    assert sorted(problem[:39] for problem in refuted(document) if "listJobs" not in problem) == [
        '200 of getJob: / "errors" is a required',
        "200 of getJob: / Additional properties ",
        '200 of getJob: /startTime "yesterday" i',
        '200 of getJob: /status "great" is not v',
        "200 of listRuns: / null is not of type ",
    ]


@every_app
def test_every_tag_has_description(options: SchemaOptions) -> None:
    document = build_schema(options)
    used = {tag for operation in operations_of(document) for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"]}


@every_app
def test_every_example_belongs_to_operation(options: SchemaOptions) -> None:
    operations = [*operations_of(build_schema(options))]
    assert {one["operationId"] for one in operations} >= options.examples.keys()
    assert {parameter["name"] for one in operations for parameter in one.get("parameters", ())} >= {
        *options.parameter_examples
    }


@every_app
def test_schema_is_built_without_warnings(options: SchemaOptions) -> None:
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        build_schema.__wrapped__(options)
    assert not GENERATOR_STATS


def test_responses_have_the_headers_of_their_status() -> None:
    document = build_schema(SEEDER)
    by_id = {operation["operationId"]: operation["responses"] for operation in operations_of(document)}
    shared = document["components"]["responses"]
    assert [*by_id["getJob"]["200"]["headers"]] == ["X-Request-ID", "ETag"]
    assert [*by_id["refreshJob"]["202"]["headers"]] == [
        "X-Request-ID",
        "Location",
        "Retry-After",
        "RateLimit-Policy",
        "RateLimit",
    ]
    assert [*shared["TooManyRequests"]["headers"]] == ["X-Request-ID", "Retry-After", "RateLimit-Policy", "RateLimit"]
    assert [*shared["NotFound"]["headers"]] == ["X-Request-ID"]


@every_app
def test_operation_ids_are_unique_camel_case(options: SchemaOptions) -> None:
    names = [operation["operationId"] for operation in operations_of(build_schema(options))]
    assert sorted(names) == sorted(set(names))
    assert all(name.isidentifier() and name[0].islower() and "_" not in name for name in names)
