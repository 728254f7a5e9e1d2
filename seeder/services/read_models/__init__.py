"""Read models for pages, API, commands and health checks.

Database errors are raised unchanged, because pages and API translate them.
"""
