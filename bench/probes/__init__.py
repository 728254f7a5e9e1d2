"""Measurements of one thing each, apart from any contest."""
