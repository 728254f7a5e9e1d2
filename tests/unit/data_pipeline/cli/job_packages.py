"""Sources of jobs, and the type of the fixture that writes them."""

from collections.abc import Callable

WritePackage = Callable[..., str]

# The name of the module replaces {name}.
GOOD = """
def entrypoint(argv):
    print("{name} got", argv)
    return 0

JOB = (entrypoint, "Describe\\n  {name}.")
"""
