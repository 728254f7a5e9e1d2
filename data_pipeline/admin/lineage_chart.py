"""The drawing of a load's lineage: file, load, table and views from left to right, as boxes with lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise

from data_pipeline.domain.lineage import Lineage
from seeder.admin import svg_boxes
from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.services.translation import translated
from seeder.texts import Text

_HEIGHT, _ROW_STEP, _GAP = 44, 58, 30  # pixels: of a box, between rows and between columns
_HEADING_WIDTH = 5.6  # pixels of a character
_MAX_BOXES = 12  # views in a column; the table below the drawing has all


class Kind(StrEnum):
    """What a box shows."""

    FILE = "file"
    LOAD = "load"
    TABLE = "table"
    VIEW = "view"


_HEADINGS = {Kind.FILE: Text("file"), Kind.LOAD: Text("load"), Kind.TABLE: Text("table"), Kind.VIEW: Text("view")}
_WIDTHS = {Kind.FILE: 150, Kind.LOAD: 90, Kind.TABLE: 170, Kind.VIEW: 184}  # pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A file, a load, a table or a view."""

    kind: Kind
    name: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A node in the drawing. Lengths are in pixels."""

    node: Node
    heading: str
    text: str  # shortened to the box
    x: int
    y: int
    width: int
    height: int = _HEIGHT


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageChart:
    """Boxes, and the paths of the lines between them."""

    boxes: Sequence[Box]
    paths: Sequence[str]
    width: int
    height: int
    left_out: int  # views that have no box


def draw(path: Sequence[Node], lineage: Lineage | None, view_urls: Mapping[str, str]) -> LineageChart:
    """Return the drawing of the nodes and of the views behind them.

    The nodes stand in one row, the table last.
    """
    layers = lineage.layers if lineage else []
    columns = [
        *([node] for node in path),
        *(
            [Node(kind=Kind.VIEW, name=name, url=view_urls.get(name)) for name in layer[:_MAX_BOXES]]
            for layer in layers
        ),
    ]
    lefts = [0, *accumulate(_WIDTHS[nodes[0].kind] + _GAP for nodes in columns)]
    height = _height_of(max(map(len, columns)))
    boxes = [
        _box(node, x=left, y=(height - _height_of(len(nodes))) // 2 + row * _ROW_STEP)
        for left, nodes in zip(lefts, columns, strict=False)
        for row, node in enumerate(nodes)
    ]
    views = {box.node.name: box for box in boxes if box.node.kind is Kind.VIEW}
    paths = [svg_boxes.line(one, other, gap=_GAP) for one, other in pairwise(boxes[: len(path)])]
    if lineage:
        sources = {lineage.table: boxes[len(path) - 1], **views}
        paths += [
            svg_boxes.line(sources[used], box, gap=_GAP)
            for name, box in views.items()
            for used in sorted(lineage.reads[name])
            if used in sources
        ]
    left_out = sum(map(len, layers)) - len(views)
    return LineageChart(boxes=boxes, paths=paths, width=lefts[-1] - _GAP, height=height, left_out=left_out)


def _height_of(rows: int) -> int:
    return svg_boxes.column_height(rows, row_step=_ROW_STEP, height=_HEIGHT)


def _box(node: Node, *, x: int, y: int) -> Box:
    heading, text, width = _HEADINGS[node.kind], node.name, _WIDTHS[node.kind]
    if node.kind in {Kind.TABLE, Kind.VIEW}:
        try:
            name = ViewName.parse(node.name)
        except BadName:  # a caller of `process_once` can write any text
            pass
        else:
            is_table, schema, text = node.kind is Kind.TABLE, name.schema, name.name
            heading = Text("table in {schema}", schema=schema) if is_table else Text("view in {schema}", schema=schema)
    shown = svg_boxes.shortened(translated(heading), width, _HEADING_WIDTH)
    return Box(node=node, heading=shown, text=svg_boxes.shortened(text, width), x=x, y=y, width=width)
