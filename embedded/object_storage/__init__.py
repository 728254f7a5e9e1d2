"""An S3 server for the demo, the tests and the bench that starts on demand: OpenStack Swift. Not part of the wheel.

Swift has an environment of its own in `var/swift`, which is installed on first use; the project does not depend on it.
One process is the whole server. It has the locks of an embedded PostgreSQL, except the watcher's: it stops itself when
it is idle.
"""
