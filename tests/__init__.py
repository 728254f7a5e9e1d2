"""The tests. They are a package because a dependency installs a top-level package of the same name."""
