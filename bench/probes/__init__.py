"""Measurements of one thing each, without contenders."""
