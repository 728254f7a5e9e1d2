"""A real PostgreSQL that starts when somebody needs it: part of the checkout, never of the wheel.

The first database connection of any process starts the server, every other process shares it, and a small watcher
stops it once nobody has used it for a while. There is nothing to install, configure, start or clean up.

Who is alive is decided by file locks alone, because the kernel frees them when a process ends in whatever way; a
process number may belong to somebody else by the time it is read, and a clock says nothing at all.

=============  ==========================================  ======================================================
lock           who holds it                                what it proves
=============  ==========================================  ======================================================
users.lock     every process that uses the server, shared  exclusive = nobody uses it, and nobody can begin to
start.lock     whoever looks, starts or stops              one at a time
server.lock    every process of the cluster, inherited     free = no process of this cluster is alive, whatever
                                                           an old postmaster.pid may say
watcher.lock   the watcher, inherited                      free = somebody has to start one
=============  ==========================================  ======================================================
"""
