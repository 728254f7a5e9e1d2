"""The REST API: each endpoint parses a request, calls one service and serializes the result."""
