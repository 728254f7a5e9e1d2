"""A host project with settings, URLs, agencies and the database."""
