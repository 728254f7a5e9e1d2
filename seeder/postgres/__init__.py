"""The database. The only room that knows raw SQL and psycopg."""
