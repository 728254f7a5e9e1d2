"""A host project for tests, which provides settings, URLs, agencies and the database."""
