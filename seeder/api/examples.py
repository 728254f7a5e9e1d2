"""Examples for the OpenAPI schema."""

from collections.abc import Mapping
from typing import Any

from seeder.api.schema_document import OperationExample

PARAMETERS: Mapping[str, Any] = {}
OPERATIONS: Mapping[str, OperationExample] = {}
