"""All SQL of the loading lane, and everything that uses psycopg."""
