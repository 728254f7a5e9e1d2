-- The bounds of transactions that Django does not keep.

-- name: begin
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: savepoint
SAVEPOINT seeder;

-- name: back_to_savepoint
ROLLBACK TO SAVEPOINT seeder;

-- name: release_savepoint
RELEASE SAVEPOINT seeder;
