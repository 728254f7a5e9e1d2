"""Looks at the databases for whatever keeps views from being refreshed, and changes nothing: a file for each kind."""
