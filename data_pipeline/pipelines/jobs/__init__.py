"""Jobs that run the commands of the pipelines."""
