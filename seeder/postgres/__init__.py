"""Database access: the only package with SQL and psycopg."""
