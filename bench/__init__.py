"""Benchmarks: the cost of refreshing with this app, with plain statements and with other tools (`make bench`)."""
