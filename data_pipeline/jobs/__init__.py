"""Jobs that `data-pipeline` runs: each module has `JOB`. Their arguments are parsed here, their work is in services."""
