"""Finds the messages of an app: docstrings of errors, calls in Python, tags in templates, and comments in SQL."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.template import engines
from django.template.base import Node, Token, Variable
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import trim_whitespace

_SINGULAR = {"Text", "OneLineText", "gettext", "gettext_lazy", "_"}
_WITH_PLURAL = {"counted", "Noun", "ngettext", "ngettext_lazy"}
_OPTIONAL_TABLE = re.compile(r"^-- Optional: (.*(?:\n-- .*)*)", re.MULTILINE)


class Message(NamedTuple):
    """A message with the place where it is used."""

    singular: str
    plural: str | None
    place: str  # the path in the project
    context: str | None = None  # tells equal English words apart

    @property
    def id(self) -> str | tuple[str, str]:
        """The id as in a catalog."""
        return self.singular if self.plural is None else (self.singular, self.plural)


def find_messages(app: Path) -> Iterator[Message]:
    """Yield the messages of an app, by file and line."""
    for path in sorted(app.rglob("*.py")):
        yield from _python_messages(path)
    for path in sorted(app.rglob("*.sql")):
        yield from _sql_messages(path)
    for path in sorted(app.glob("templates/**/*.html")):
        yield from _template_messages(path, app / "templates")


def _python_messages(path: Path) -> Iterator[Message]:
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef | ast.Call)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.ClassDef):
            if path.stem.endswith("errors") and _is_error(node) and (text := ast.get_docstring(node)):
                yield Message(" ".join(text.split()), None, str(path))
        else:
            words = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
            match _name(node.func), words:
                case "in_context" | "pgettext" | "pgettext_lazy", [str(context), str(singular), *_]:
                    yield Message(singular, None, str(path), context)
                case "counted_in_context", [str(context), str(singular), str(plural), *_]:
                    yield Message(singular, plural, str(path), context)
                case name, [str(singular), str(plural), *_] if name in _WITH_PLURAL:
                    yield Message(singular, plural, str(path))
                case name, [str(singular), *_] if name in _SINGULAR and singular:  # the empty one is the header
                    yield Message(singular, None, str(path))


def _is_error(node: ast.ClassDef) -> bool:
    """Return whether a class of a module of errors has one of them as its base."""
    return bool(node.bases) and all(_name(base) not in {"", "Exception", "NamedTuple"} for base in node.bases)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _sql_messages(path: Path) -> Iterator[Message]:
    """Yield what is lost without an optional table, as `contract.optional_tables` says it."""
    for lost_feature in _OPTIONAL_TABLE.findall(path.read_text("utf-8")):
        yield Message("Without it " + lost_feature.replace("\n-- ", " "), None, str(path))


def _template_messages(path: Path, folder: Path) -> Iterator[Message]:
    template = engines["django"].get_template(str(path.relative_to(folder)))
    nodes = template.template.nodelist.get_nodes_by_type(Node)  # type: ignore[attr-defined]  # of Django's own engine
    for node in nodes:
        if isinstance(node, TranslateNode) and isinstance(variable := node.filter_expression.var, Variable):
            if isinstance(variable.literal, str):
                yield Message(str(variable.literal), None, str(path), _context(node))
        elif isinstance(node, BlockTranslateNode):
            plural = _block(node, node.plural) if node.plural else None
            yield Message(_block(node, node.singular), plural, str(path), _context(node))


def _context(node: TranslateNode | BlockTranslateNode) -> str | None:
    return None if node.message_context is None else str(node.message_context.var)


def _block(node: BlockTranslateNode, tokens: list[Token]) -> str:
    message, _ = node.render_token_list(tokens)
    return trim_whitespace(message) if node.trimmed else str(message)
