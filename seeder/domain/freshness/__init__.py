"""Freshness contracts: deadlines for the data of views."""
