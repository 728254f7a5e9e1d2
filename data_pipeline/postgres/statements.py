"""The named statements of this package's .sql files."""

from typing import Final

from seeder.postgres.named_statements import load_statements

STATEMENTS: Final = load_statements("data_pipeline.postgres")
