"""Values of columns of type jsonb."""

import json
from functools import partial

from psycopg.types.json import Jsonb

# A database in SQL_ASCII refuses the escapes of other letters, but takes the letters.
_dumps = partial(json.dumps, ensure_ascii=False)


def jsonb(value: object) -> Jsonb:
    """Return a parameter of type jsonb."""
    return Jsonb(value, dumps=_dumps)
