-- Temporary tables of a load.

-- name: drop_load_tables
DROP TABLE IF EXISTS
    pg_temp."data_pipeline.texts", pg_temp."data_pipeline.file_texts", pg_temp."data_pipeline.typed",
    pg_temp."data_pipeline.rows", pg_temp."data_pipeline.changed", pg_temp."data_pipeline.again",
    pg_temp."data_pipeline.halves", pg_temp."data_pipeline.rejected_keys";
