"""Finds a dialect by its path or name.

A name is looked up in the folders of the settings, then among the dialects that are shipped with the app.
"""

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from data_pipeline.dialect_errors import DialectError, DialectUnreadable, UnknownDialect
from data_pipeline.domain.dialect_parser import parse_dialect
from data_pipeline.domain.dialects import Dialect
from seeder.domain.suggestions import did_you_mean

_SUFFIX = ".toml"
_NAME = re.compile(r"[\w-]+", re.ASCII)


def find_dialect(name_or_path: str, folders: Iterable[Path] = ()) -> Dialect:
    """Return a dialect by its name or its `.toml` file.

    The first folder that has the name wins. The shipped dialects come last.
    """
    if name_or_path.endswith(_SUFFIX):
        path = Path(name_or_path)
        return _read(path, name=path.stem)
    known = _files_by_name(folders)
    if name_or_path not in known:
        suggestion = did_you_mean(name_or_path, known)
        raise UnknownDialect(dialect=name_or_path, suggestion=suggestion, known=", ".join(sorted(known)))
    return _read(known[name_or_path], name=name_or_path)


def all_dialects(folders: Iterable[Path] = ()) -> Sequence[Dialect]:
    """Return every dialect of the folders and the shipped ones, by name."""
    return [_read(file, name=name) for name, file in sorted(_files_by_name(folders).items())]


def check_dialects(folders: Iterable[Path]) -> tuple[Sequence[Dialect], Sequence[DialectError]]:
    """Return the valid dialects of folders, and the errors of the others.

    The shipped dialects are left out.
    """
    dialects, errors = list[Dialect](), list[DialectError]()
    for name, file in sorted(_files_in(folder for folder in folders if folder.is_dir()).items()):
        try:
            dialects.append(_read(file, name=name))
        except DialectError as error:
            errors.append(error)
    return dialects, errors


def _files_by_name(folders: Iterable[Path]) -> dict[str, Traversable]:
    shipped = files("data_pipeline.domain") / "dialect_files"
    return _files_in((*(folder for folder in folders if folder.is_dir()), shipped))


def _files_in(folders: Iterable[Traversable]) -> dict[str, Traversable]:
    """Return the files of dialects by name. The first folder that has a name wins."""
    found: dict[str, Traversable] = {}
    for folder in folders:
        for file in folder.iterdir():
            name = file.name.removesuffix(_SUFFIX)
            if file.name.endswith(_SUFFIX) and _NAME.fullmatch(name):
                found.setdefault(name, file)
    return found


def _read(file: Traversable, *, name: str) -> Dialect:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialectUnreadable(dialect=name, cause=error) from error
    return parse_dialect(text, name=name)
