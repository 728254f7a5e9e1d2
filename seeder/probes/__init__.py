"""The door for programs that watch: whether this process lives, whether views can be refreshed, and the metrics."""
