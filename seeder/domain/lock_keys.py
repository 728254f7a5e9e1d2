"""Keys of seeder's advisory locks. Keys with the same hash would only wait for each other."""

from seeder.domain.view_names import ViewName

INSTALL = "seeder.install"  # concurrent CREATE TABLE IF NOT EXISTS can fail (23505)
ENQUEUE = "seeder.queue"
ADD_MANIFEST = "seeder.add_manifest"  # two equal manifests at once would both be new
SYNC_CHECKS = "seeder.sync_checks"  # two of one file would add the same checks
WAIVE_CHECKS = "seeder.waive_checks"  # two waivers of one check would permit two publications
PRUNE = "seeder.prune"  # concurrent deletes of the same rows could deadlock


def of_run(run_id: str) -> str:
    """Return the key that a live run holds."""
    return f"seeder.run {run_id}"


def of_view(view: ViewName) -> str:
    """Return the key that a run holds while it refreshes a view.

    A missing view has no relation to lock, so one of two runs that create it would fail.
    """
    return f"seeder.view {view}"
