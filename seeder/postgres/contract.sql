-- The tables that seeder reads and writes. In production another repository owns this DDL and seeder only maps it;
-- here it serves the embedded database, the tests and newcomers. Safe to apply again: it only creates what is missing.
-- One column a line: a check reads this file and holds it against the models and the connected database.
-- "Optional:" above a table says that seeder works without it, and what one then does without.

CREATE SCHEMA IF NOT EXISTS reporting;

CREATE TABLE IF NOT EXISTS reporting.seeder_custom_report_manifest (
    id serial PRIMARY KEY,
    table_name text NOT NULL,
    report_name text NOT NULL,
    agency_id integer NOT NULL,
    agency_slug text NOT NULL,
    query text NOT NULL,
    database_id integer NOT NULL,
    enabled boolean NOT NULL DEFAULT true
);

CREATE TABLE IF NOT EXISTS reporting.seeder_canned_report (
    id serial PRIMARY KEY,
    table_name text NOT NULL,
    report_name text NOT NULL,
    query text NOT NULL,
    database_id integer NOT NULL
);

CREATE TABLE IF NOT EXISTS reporting.seeder_canned_report_manifest (
    id serial PRIMARY KEY,
    agency_id integer NOT NULL,
    agency_slug text NOT NULL,
    canned_report_id integer NOT NULL
);

CREATE TABLE IF NOT EXISTS reporting.seeder_run_history (
    id bigserial PRIMARY KEY,
    run_id text NOT NULL,
    manifest_id integer NOT NULL,
    table_name text NOT NULL,
    report_name text NOT NULL,
    agency_id integer NOT NULL,
    agency_slug text NOT NULL,
    report_type text NOT NULL,
    status text NOT NULL,
    start_time timestamptz NOT NULL DEFAULT now(),
    finish_time timestamptz,
    duration_seconds integer,
    records_processed bigint DEFAULT 0,
    bytes_processed bigint DEFAULT 0,
    memory_usage_mb integer,
    cpu_percentage integer,
    consecutive_failures integer DEFAULT 0,
    errors text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (report_type IN ('custom', 'canned')),
    CHECK (status IN ('pending', 'running', 'success', 'error'))
);

CREATE INDEX IF NOT EXISTS seeder_run_history_table_name ON reporting.seeder_run_history (table_name);
CREATE INDEX IF NOT EXISTS seeder_run_history_agency_slug ON reporting.seeder_run_history (agency_slug);
CREATE INDEX IF NOT EXISTS seeder_run_history_start_time ON reporting.seeder_run_history (start_time DESC);

-- An addition of ours, for who looks for rows of runs that were killed. Without it that takes a look at every row.
CREATE INDEX IF NOT EXISTS seeder_run_history_open ON reporting.seeder_run_history (run_id)
    WHERE status IN ('pending', 'running');

CREATE TABLE IF NOT EXISTS reporting.seeder_job_status (
    table_name text PRIMARY KEY,
    manifest_id integer NOT NULL,
    report_name text NOT NULL,
    report_type text NOT NULL,
    agency_id integer NOT NULL,
    agency_slug text NOT NULL,
    status text NOT NULL,
    duration_seconds integer DEFAULT 0,
    start_time timestamptz,
    consecutive_failures integer DEFAULT 0,
    last_run_id text,
    last_errors text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (report_type IN ('custom', 'canned')),
    CHECK (status IN ('pending', 'running', 'success', 'error'))
);

CREATE INDEX IF NOT EXISTS seeder_job_status_agency_slug ON reporting.seeder_job_status (agency_slug);

-- Optional: each process has circuit breakers of its own, and learns nothing from what others found out.
CREATE TABLE IF NOT EXISTS reporting.seeder_circuit_breaker (
    database_alias text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    tried_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS reporting.seeder_release_snapshot (
    id bigserial PRIMARY KEY,
    table_name text NOT NULL,
    release_tag text NOT NULL,
    release_version text,
    captured_at timestamptz NOT NULL DEFAULT now(),
    schema_hash text NOT NULL,
    row_count bigint NOT NULL,
    column_count integer NOT NULL,
    columns jsonb NOT NULL,
    column_statistics jsonb NOT NULL,
    top_values jsonb,
    UNIQUE (table_name, release_tag)
);

-- Optional: the history says how each refresh ended, and nothing keeps what it waited for and what it cost the server.
CREATE TABLE IF NOT EXISTS reporting.seeder_run_metrics (
    history_id bigint PRIMARY KEY REFERENCES reporting.seeder_run_history (id) ON DELETE CASCADE,
    mode text,
    fell_back boolean,
    attempts integer,
    seat_wait_seconds double precision,
    throttle_wait_seconds double precision,
    lock_wait_seconds double precision,
    statement_calls bigint,
    statement_total_ms double precision,
    statement_mean_ms double precision,
    statement_rows bigint,
    shared_blocks_hit bigint,
    shared_blocks_read bigint,
    shared_blocks_dirtied bigint,
    shared_blocks_written bigint,
    temp_blocks_read bigint,
    temp_blocks_written bigint,
    statement_wal_bytes bigint,
    backend_read_bytes bigint,
    backend_write_bytes bigint,
    backend_wal_bytes bigint,
    cpu_seconds double precision,
    peak_memory_bytes bigint,
    CHECK (mode IN ('plain', 'concurrent'))
);
