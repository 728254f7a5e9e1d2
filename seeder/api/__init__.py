"""The REST API.

Each endpoint parses a request, calls one service and serializes the result.
"""

from seeder.services import extras

extras.require(extras.API, "seeder.api")
