"""The CPU of the current backend, for a part of what a session does. Needs Linux, and a superuser."""

import os

# utime and stime are the 12th and 13th fields behind the name of the program, see proc(5).
BACKEND_CPU = f"""
    SELECT (fields[12]::numeric + fields[13]::numeric) / {os.sysconf("SC_CLK_TCK")} AS seconds
    FROM string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\\) ', ''), ' ') AS fields
"""
