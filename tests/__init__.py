"""The tests. A package, because a dependency installs one of the same name, which Python would take instead."""
