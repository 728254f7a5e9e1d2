-- The bounds of transactions that Django does not keep.

-- name: begin
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: savepoint
SAVEPOINT seeder;

-- name: rollback_to_savepoint
ROLLBACK TO SAVEPOINT seeder;

-- name: release_savepoint
RELEASE SAVEPOINT seeder;

-- name: set_time_limit
-- For the rest of the transaction: so long may a statement take, and wait for a lock.
SELECT set_config('statement_timeout', %(timeout)s::text, true), set_config('lock_timeout', %(timeout)s::text, true);
