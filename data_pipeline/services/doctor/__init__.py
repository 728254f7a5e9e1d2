"""Checks of the loading lane, which the doctor runs."""
