"""Artefacts to load: addresses, formats, compression and workbooks. Uses no database."""
