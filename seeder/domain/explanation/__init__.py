"""Why a view is in its state: stored facts, and one sentence for each decision."""
