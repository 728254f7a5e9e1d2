"""The REST API.

Each endpoint parses a request, calls one service and serializes the result.
"""
