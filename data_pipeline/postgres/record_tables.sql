-- Temporary tables of a load.

-- name: drop_load_tables
DROP TABLE IF EXISTS
    pg_temp.load_texts, pg_temp.load_file_texts, pg_temp.load_typed, pg_temp.load_rows, pg_temp.load_changed,
    pg_temp.load_again;
