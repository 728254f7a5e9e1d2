-- The tables that seeder reads and writes. In production another repository owns this DDL; the embedded database and the
-- tests use this file. It creates only what is missing.
-- A check parses it, one column per line, and compares it with the models and the database. "Optional:" marks a table that
-- seeder works without; the text completes the sentence "Without it ...".

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

-- Additions to the contract: the latest runs and successes of a view, the runs of one of its many manifests, the rows of a
-- run, the latest failures, and rows of killed runs.
CREATE INDEX IF NOT EXISTS seeder_run_history_latest ON reporting.seeder_run_history (table_name, start_time DESC);
CREATE INDEX IF NOT EXISTS seeder_run_history_succeeded ON reporting.seeder_run_history (table_name, start_time DESC)
    WHERE status = 'success';
CREATE INDEX IF NOT EXISTS seeder_run_history_manifest ON reporting.seeder_run_history (manifest_id, start_time DESC);
CREATE INDEX IF NOT EXISTS seeder_run_history_run_id ON reporting.seeder_run_history (run_id);
CREATE INDEX IF NOT EXISTS seeder_run_history_failed ON reporting.seeder_run_history (start_time DESC)
    WHERE status = 'error';
CREATE INDEX IF NOT EXISTS seeder_run_history_open ON reporting.seeder_run_history (run_id)
    WHERE status IN ('pending', 'running');

-- With statistics of a thousand agencies instead of a hundred, the planner knows which have few rows. Otherwise it would
-- search the entire history for the latest rows of such an agency.
ALTER TABLE reporting.seeder_run_history ALTER COLUMN agency_slug SET STATISTICS 1000;

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

-- Optional: each process has its own circuit breakers, which do not know the failures of other processes.
CREATE TABLE IF NOT EXISTS reporting.seeder_circuit_breaker (
    database_alias text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    last_trial_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    causes jsonb NOT NULL DEFAULT '{}'
);

-- Optional: each run first compares the query of every manifest with its view, which takes a millisecond or two each.
CREATE TABLE IF NOT EXISTS reporting.seeder_view_definition (
    database_alias text NOT NULL,
    view_oid bigint NOT NULL,
    query_md5 text NOT NULL,
    PRIMARY KEY (database_alias, view_oid, query_md5)
);

CREATE TABLE IF NOT EXISTS reporting.seeder_release_snapshot (
    id bigserial PRIMARY KEY,
    table_name text NOT NULL,
    release_tag text NOT NULL,
    release_version text,
    captured_at timestamptz NOT NULL DEFAULT now(),
    schema_hash text NOT NULL,
    definition_hash text NOT NULL,
    server_version integer NOT NULL,
    exact boolean NOT NULL,
    row_count bigint NOT NULL,
    column_count integer NOT NULL,
    columns jsonb NOT NULL,
    column_statistics jsonb NOT NULL,
    top_values jsonb,
    UNIQUE (table_name, release_tag),
    CHECK (length(release_tag) BETWEEN 1 AND 200 AND release_tag !~ '^\s|\s$|[[:cntrl:]]'),
    CHECK (length(release_version) BETWEEN 1 AND 200 AND release_version !~ '^\s|\s$|[[:cntrl:]]'),
    CHECK (schema_hash ~ '^[0-9a-f]{64}$' AND definition_hash ~ '^[0-9a-f]{64}$'),
    CHECK (row_count >= 0),
    CHECK (jsonb_typeof(columns) = 'array' AND column_count = jsonb_array_length(columns)),
    CHECK (jsonb_typeof(column_statistics) = 'object'),
    CHECK (jsonb_typeof(top_values) = 'object')
);

-- A trigger, because release snapshots must not change even for a superuser.
CREATE OR REPLACE FUNCTION reporting.seeder_release_snapshot_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'release snapshots are never changed (snapshot %, of % at %)', old.id, old.table_name, old.release_tag
        USING ERRCODE = 'restrict_violation', HINT = 'Capture another one under a tag of its own.';
END
$$;
CREATE OR REPLACE TRIGGER is_final BEFORE UPDATE ON reporting.seeder_release_snapshot
    FOR EACH ROW EXECUTE FUNCTION reporting.seeder_release_snapshot_is_final();

-- Optional: the history has a row for each manifest, but runs have no totals and no holds.
CREATE TABLE IF NOT EXISTS reporting.seeder_run (
    run_id text PRIMARY KEY,
    description text NOT NULL,
    requested_by text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    stopped_by text,
    cancel_requested_by text,
    workers integer NOT NULL,
    manifests integer NOT NULL,
    succeeded integer,
    failed integer,
    held integer,
    interrupted integer,
    agencies jsonb NOT NULL,
    holds jsonb NOT NULL DEFAULT '[]',
    parallel_query jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX IF NOT EXISTS seeder_run_started_at ON reporting.seeder_run (started_at DESC);
CREATE INDEX IF NOT EXISTS seeder_run_requested_by ON reporting.seeder_run (requested_by, started_at DESC);
CREATE INDEX IF NOT EXISTS seeder_run_failed ON reporting.seeder_run (started_at DESC)
    WHERE failed > 0 OR stopped_by IS NOT NULL;
CREATE INDEX IF NOT EXISTS seeder_run_open ON reporting.seeder_run (run_id) WHERE finished_at IS NULL;

-- Optional: nothing can be queued, and the caller runs each refresh itself.
CREATE TABLE IF NOT EXISTS reporting.seeder_queued_refresh (
    id bigserial PRIMARY KEY,
    request_id text NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    description text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    joined_at timestamptz,
    idempotency_keys jsonb NOT NULL DEFAULT '{}',
    manifests jsonb NOT NULL,
    views jsonb NOT NULL,
    agencies jsonb NOT NULL,
    is_forced boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'queued',
    run_ids jsonb NOT NULL DEFAULT '[]',
    worker text,
    dispatched_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    succeeded integer,
    failed integer,
    error text,
    cancel_requested_at timestamptz,
    cancel_requested_by text,
    UNIQUE (request_id, part),
    CHECK (state IN ('queued', 'running', 'ended', 'cancelled')),
    CHECK ((cancel_requested_at IS NULL) = (cancel_requested_by IS NULL))
);

CREATE INDEX IF NOT EXISTS seeder_queued_refresh_open ON reporting.seeder_queued_refresh (id)
    WHERE state IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS seeder_queued_refresh_finished ON reporting.seeder_queued_refresh (finished_at DESC)
    WHERE state IN ('ended', 'cancelled');
CREATE INDEX IF NOT EXISTS seeder_queued_refresh_requested ON reporting.seeder_queued_refresh (requested_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS seeder_queued_refresh_keys ON reporting.seeder_queued_refresh USING gin (idempotency_keys)
    WHERE idempotency_keys <> '{}';

-- Optional: the history says how each refresh ended, but not what it waited for and what it cost the server.
CREATE TABLE IF NOT EXISTS reporting.seeder_run_metrics (
    history_id bigint PRIMARY KEY REFERENCES reporting.seeder_run_history (id) ON DELETE CASCADE,
    mode text,
    mode_reason text,
    fell_back boolean,
    attempts integer,
    reason text,
    sqlstate text,
    worker_number integer,
    worker_wait_seconds double precision,
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
    rows_inserted bigint,
    rows_deleted bigint,
    vacuum_seconds double precision,
    notes text,
    snapshot text,
    consistent_group text,
    CHECK (mode IN ('plain', 'concurrent'))
);

CREATE INDEX IF NOT EXISTS seeder_run_metrics_group ON reporting.seeder_run_metrics (history_id)
    WHERE consistent_group IS NOT NULL;

-- Optional: the age of the data of a view is unknown, so no target lag can be late.
CREATE TABLE IF NOT EXISTS reporting.seeder_view_state (
    database_alias text NOT NULL,
    schema_name text NOT NULL,
    view_name text NOT NULL,
    view_oid bigint NOT NULL,
    view_xmin text NOT NULL,
    data_as_of timestamptz,
    unknown text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (database_alias, schema_name, view_name),
    CHECK (num_nonnulls(data_as_of, unknown) = 1)
);

-- Optional: every view is refreshed, even if its inputs are unchanged.
CREATE TABLE IF NOT EXISTS reporting.seeder_skip_decision (
    history_id bigint PRIMARY KEY REFERENCES reporting.seeder_run_history (id) ON DELETE CASCADE,
    database_alias text NOT NULL,
    schema_name text NOT NULL,
    view_name text NOT NULL,
    is_skipped boolean NOT NULL,
    reason text NOT NULL,
    refreshed_at timestamptz NOT NULL,
    refresh_seconds double precision NOT NULL,
    view_rows bigint,
    view_bytes bigint NOT NULL,
    activity jsonb NOT NULL,
    proof jsonb,
    CHECK (proof IS NOT NULL OR NOT is_skipped)
);

CREATE INDEX IF NOT EXISTS seeder_skip_decision_view ON reporting.seeder_skip_decision
    (database_alias, schema_name, view_name, history_id DESC);

-- Optional: no sample of the rows that a refresh changes can be requested.
CREATE TABLE IF NOT EXISTS reporting.seeder_change_sample (
    id bigserial PRIMARY KEY,
    database_alias text NOT NULL,
    table_name text NOT NULL,
    max_rows integer NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    history_id bigint REFERENCES reporting.seeder_run_history (id) ON DELETE CASCADE,
    run_id text,
    rows_inserted bigint,
    rows_deleted bigint,
    rows_updated bigint,
    note text,
    rows jsonb,
    CHECK ((history_id IS NULL) = (run_id IS NULL)),
    CHECK ((history_id IS NULL) = (rows IS NULL))
);

CREATE UNIQUE INDEX IF NOT EXISTS seeder_change_sample_waiting ON reporting.seeder_change_sample (table_name, database_alias)
    WHERE history_id IS NULL;
CREATE INDEX IF NOT EXISTS seeder_change_sample_view ON reporting.seeder_change_sample (table_name, history_id DESC);
CREATE INDEX IF NOT EXISTS seeder_change_sample_history ON reporting.seeder_change_sample (history_id);

-- Optional: no view has a deadline, and a run starts the longest chains first.
CREATE TABLE IF NOT EXISTS reporting.seeder_freshness (
    id bigserial PRIMARY KEY,
    table_name text,
    agency_slug text,
    target_lag interval,
    due_at time,
    due_since time NOT NULL DEFAULT '00:00',
    due_zone text NOT NULL DEFAULT 'UTC',
    due_days text NOT NULL DEFAULT '1-7',
    grace interval NOT NULL DEFAULT '0',
    severity text NOT NULL DEFAULT 'error',
    CHECK (num_nonnulls(table_name, agency_slug) = 1),
    CHECK (num_nonnulls(target_lag, due_at) = 1),
    CHECK (target_lag >= '1 minute'),
    CHECK (grace >= '0'),
    CHECK (due_days ~ '^[1-7](-[1-7])?(,[1-7](-[1-7])?)*$'),
    CHECK (severity IN ('error', 'warn'))
);

-- Optional: views are published without data checks.
CREATE TABLE IF NOT EXISTS reporting.seeder_check (
    id bigserial PRIMARY KEY,
    database_alias text NOT NULL DEFAULT 'default',
    table_name text NOT NULL,
    check_name text NOT NULL,
    kind text NOT NULL,
    arguments jsonb NOT NULL DEFAULT '{}',
    severity text NOT NULL DEFAULT 'error',
    tolerated_rows bigint NOT NULL DEFAULT 0,
    tolerated_share double precision NOT NULL DEFAULT 0,
    enabled boolean NOT NULL DEFAULT true,
    source text,
    updated_by text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (table_name, database_alias, check_name),
    CHECK (severity IN ('error', 'warn')),
    CHECK (tolerated_rows >= 0 AND tolerated_share BETWEEN 0 AND 1)
);

-- Optional: the error of a held view names its failed data checks, but passed ones and warnings are not kept.
CREATE TABLE IF NOT EXISTS reporting.seeder_check_result (
    history_id bigint NOT NULL REFERENCES reporting.seeder_run_history (id) ON DELETE CASCADE,
    run_id text NOT NULL,
    database_alias text NOT NULL,
    table_name text NOT NULL,
    check_name text NOT NULL,
    kind text NOT NULL,
    arguments jsonb NOT NULL,
    severity text NOT NULL,
    outcome text NOT NULL,
    figures jsonb NOT NULL,
    samples jsonb NOT NULL,
    sqlstate text,
    message text,
    PRIMARY KEY (history_id, check_name),
    CHECK (outcome IN ('passed', 'failed', 'could_not_run', 'waived'))
);

CREATE INDEX IF NOT EXISTS seeder_check_result_view ON reporting.seeder_check_result (table_name, history_id DESC);
CREATE INDEX IF NOT EXISTS seeder_check_result_check
    ON reporting.seeder_check_result (table_name, check_name, history_id DESC);

-- Optional: a failed data check cannot be waived, and its figures cannot be accepted.
CREATE TABLE IF NOT EXISTS reporting.seeder_check_waiver (
    id bigserial PRIMARY KEY,
    database_alias text NOT NULL,
    table_name text NOT NULL,
    check_name text NOT NULL,
    decision text NOT NULL,
    arguments jsonb NOT NULL,
    figures jsonb NOT NULL,
    sqlstate text,
    reason text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at timestamptz,
    used_run_id text,
    CHECK (decision IN ('publish_once', 'accept')),
    CHECK ((decision = 'accept') = (expires_at IS NULL)),
    CHECK ((used_at IS NULL) = (used_run_id IS NULL))
);

CREATE INDEX IF NOT EXISTS seeder_check_waiver_check ON reporting.seeder_check_waiver (table_name, check_name, id DESC);

-- Optional: nothing is notified, and the signal view_late is not sent.
CREATE TABLE IF NOT EXISTS reporting.seeder_alert (
    id bigserial PRIMARY KEY,
    kind text NOT NULL,
    database_alias text NOT NULL,
    table_name text NOT NULL,
    contract_id bigint NOT NULL DEFAULT 0,
    notified text NOT NULL DEFAULT 'ok',
    notified_at timestamptz,
    UNIQUE (table_name, database_alias, kind, contract_id),
    CHECK (kind IN ('refresh', 'freshness', 'load')),
    CHECK (notified IN ('ok', 'failed', 'held', 'late'))
);

CREATE INDEX IF NOT EXISTS seeder_alert_open ON reporting.seeder_alert (id) WHERE notified <> 'ok';

-- Optional: the notifications of a view cannot be muted.
CREATE TABLE IF NOT EXISTS reporting.seeder_mute (
    id bigserial PRIMARY KEY,
    database_alias text NOT NULL,
    table_name text NOT NULL,
    reason text NOT NULL,
    muted_by text NOT NULL,
    muted_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    CHECK (reason ~ '\S')
);

CREATE INDEX IF NOT EXISTS seeder_mute_view ON reporting.seeder_mute (table_name, database_alias, ends_at DESC);

-- Optional: nothing is notified.
CREATE TABLE IF NOT EXISTS reporting.seeder_notification (
    id bigserial PRIMARY KEY,
    channel text NOT NULL,
    event text NOT NULL,
    subject text NOT NULL,
    facts jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    error text,
    CHECK (state IN ('pending', 'sent', 'failed', 'gone')),
    CHECK ((ended_at IS NULL) = (state = 'pending'))
);

CREATE INDEX IF NOT EXISTS seeder_notification_pending ON reporting.seeder_notification (channel, subject, id)
    WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS seeder_notification_next ON reporting.seeder_notification (channel, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS seeder_notification_gone ON reporting.seeder_notification (channel) WHERE state = 'gone';
CREATE INDEX IF NOT EXISTS seeder_notification_subject ON reporting.seeder_notification (subject, id DESC);
CREATE INDEX IF NOT EXISTS seeder_notification_created ON reporting.seeder_notification (created_at, id);
