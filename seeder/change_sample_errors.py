"""Expected errors of samples of changed rows."""

from seeder.errors import RequestError, SeederError


class BadSampleSize(RequestError):
    """A sample cannot have {rows} changed rows: give a number from 1 to {max_rows}."""


class SampleTableUnusable(SeederError):
    """{reason}. {lost_feature} `manage.py install_schema` creates it."""
