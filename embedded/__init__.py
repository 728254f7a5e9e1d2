"""A PostgreSQL server for checkouts and tests that starts on demand. Not part of the wheel.

The first database connection of any process starts the server, and all processes share it. A watcher process stops it
when it has been unused for a while. Nothing has to be installed, configured or cleaned up.

File locks decide which processes are alive, because the kernel releases them whenever a process ends. Process ids are
recycled, and times prove nothing. A server that was restarted manually (`pg_ctl restart`) holds no lock; it is found by
its socket, or by its processes, which work in the data folder.

=============  ==========================================  ======================================================
lock           held by                                     meaning
=============  ==========================================  ======================================================
users.lock     every process that uses the server, shared  exclusive = the server is unused and stays so
start.lock     the process that starts or stops it         one at a time
server.lock    every process of the cluster, inherited     free = no process that was started here is alive, even
                                                           if there is a postmaster.pid
watcher.lock   the watcher, inherited                      free = there is no watcher
=============  ==========================================  ======================================================
"""
