"""The REST API of loads.

Each endpoint parses a request, calls one service and serializes the result.
"""

from seeder.services import extras

extras.require(extras.API, "data_pipeline.api")
