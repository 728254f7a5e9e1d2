"""Report private words in prose and names: `python -m lint.plain_words [PATH …]`, by default in the enforced paths.

The list of words, with what to write instead, is `plain_words.toml` beside this module. Prose is every comment and
string literal of a Python file, every comment of an SQL, shell, YAML or TOML file, and the entire text of a document or
template. Names are the identifiers of Python files. Exit code: 0 if nothing was found, 1 otherwise.
"""

import io
import keyword
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent
_WHOLE_TEXT = {".md", ".html"}
_COMMENTS = {".sql": "--", ".sh": "#", ".yaml": "#", ".yml": "#", ".toml": "#", "": "#", ".js": "//"}
_SKIPPED = ("lint/plain_words.toml", "requirements/", "vendor/", "LICENSE", "bench/report.md")


class Text(NamedTuple):
    """A piece of prose or a name, and the line on which it begins."""

    line: int
    kind: str  # prose or names
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WordList:
    """The rejected patterns of each kind, with the words to write instead."""

    rules: dict[str, list[tuple[re.Pattern[str], str]]]
    allowed: frozenset[str]
    enforced: tuple[str, ...]  # the paths that are checked by default

    @classmethod
    def read(cls, file: Path) -> "WordList":
        """Parse the word list."""
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        rules = {
            kind: [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), instead) for pattern, instead in words.items()]
            for kind, words in content.items()
            if kind in {"prose", "names"}
        }
        return cls(rules=rules, allowed=frozenset(content["allowed"]), enforced=tuple(content["enforced"]))

    def violations(self, text: Text) -> Iterator[tuple[int, str, str]]:
        """Yield line, word and replacement of each rejected word in a text."""
        for pattern, instead in self.rules[text.kind]:
            for match in pattern.finditer(text.text):
                if match[0] not in self.allowed:
                    yield text.line + text.text.count("\n", 0, match.start()), match[0], instead


def texts_of(path: Path) -> Iterator[Text]:
    """Yield the prose and the names of a file."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _texts_of_python(content)
    elif path.suffix in _WHOLE_TEXT:
        yield Text(1, "prose", content)
    elif (mark := _COMMENTS.get(path.suffix)) is not None:
        for number, line in enumerate(content.splitlines(), start=1):
            _, found, comment = line.partition(mark)
            if found:
                yield Text(number, "prose", comment)


def _texts_of_python(content: str) -> Iterator[Text]:
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type in {tokenize.COMMENT, tokenize.STRING} or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            yield Text(token.start[0], "prose", token.string)
        elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", token.string)
            yield Text(token.start[0], "names", words)


def tracked_files(paths: Iterable[str]) -> list[Path]:
    """Return the files of the repository below the given paths, without vendored and generated ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603  # our own arguments
    return [
        CHECKOUT / name for name in listed if not any(part in name for part in _SKIPPED) and (CHECKOUT / name).is_file()
    ]


def main(paths: list[str]) -> int:
    """Print each violation as `file:line: word -> instead`."""
    words = WordList.read(Path(__file__).with_suffix(".toml"))
    found = 0
    for file in tracked_files(paths or words.enforced):
        if file.suffix not in {".py", *_WHOLE_TEXT, *_COMMENTS}:
            continue
        for text in texts_of(file):
            for line, word, instead in words.violations(text):
                found += 1
                sys.stdout.write(f"{file.relative_to(CHECKOUT)}:{line}: {word!r} -> {instead}\n")
    sys.stdout.write(f"{found} rejected words\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
