"""The drawing of a view's lineage: tables and views from left to right, as boxes with lines."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from django.utils import timezone

from seeder.admin import svg_boxes
from seeder.domain.as_of import TableAsOf
from seeder.domain.view_names import ViewName
from seeder.services.read_models.view_lineage import LineageNode, ViewLineage
from seeder.services.translation import translated
from seeder.texts import Text

_WIDTH, _HEIGHT, _ROW_STEP, _COLUMN_STEP = 196, 60, 72, 232  # pixels: of a box, between rows and between columns


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A node in the drawing. Lengths are in pixels."""

    node: LineageNode
    url: str | None
    heading: str
    text: str  # shortened to the box
    state: str  # state of a view and as of when its data are, or the load of a table
    x: int
    y: int
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageDrawing:
    """Boxes, and the paths of the lines between them."""

    boxes: Sequence[Box]
    paths: Sequence[str]
    notes: Sequence[tuple[int, int, int]]  # x, y and number of the nodes that a column has no room for
    width: int
    height: int


def draw(lineage: ViewLineage, url_of: Callable[[LineageNode], str | None]) -> LineageDrawing:
    """Return the drawing. `url_of` returns the page of a node that has one."""
    columns = _columns(lineage)
    first, rows = min(columns), max(map(len, columns.values()))
    height = _height_of(rows) + (20 if lineage.left_out else 0)
    boxes: dict[ViewName, Box] = {}
    notes = []
    for level, nodes in sorted(columns.items()):
        x, top = (level - first) * _COLUMN_STEP, (_height_of(rows) - _height_of(len(nodes))) // 2
        boxes |= {node.name: _box(node, url_of(node), x, top + row * _ROW_STEP) for row, node in enumerate(nodes)}
        if level in lineage.left_out:
            notes.append((x + svg_boxes.MARGIN, top + _height_of(len(nodes)) + 15, lineage.left_out[level]))
    lines = [(boxes[read], boxes[reader]) for read, reader in lineage.lines]
    return LineageDrawing(
        boxes=[*boxes.values()],
        paths=[svg_boxes.line(read, reader, gap=_COLUMN_STEP - _WIDTH) for read, reader in lines if read.x < reader.x],
        notes=notes,
        width=(max(columns) - first) * _COLUMN_STEP + _WIDTH,
        height=height,
    )


def _columns(lineage: ViewLineage) -> Mapping[int, list[LineageNode]]:
    """Return the nodes of each level, each beside those of the middle that it is connected with."""
    columns = defaultdict[int, list[LineageNode]](list)
    for node in lineage.nodes:
        columns[node.level].append(node)
    neighbours = defaultdict[ViewName, set[ViewName]](set)
    for read, reader in lineage.lines:
        neighbours[read].add(reader)
        neighbours[reader].add(read)
    rows: dict[ViewName, float] = {}
    for level in sorted(columns, key=abs):
        nodes = columns[level]
        nodes.sort(key=lambda node: mean([rows[one] for one in neighbours[node.name] if one in rows] or [0]))
        rows |= {node.name: row - (len(nodes) - 1) / 2 for row, node in enumerate(nodes)}
    return columns


def _height_of(rows: int) -> int:
    return svg_boxes.column_height(rows, row_step=_ROW_STEP, height=_HEIGHT)


def _box(node: LineageNode, url: str | None, x: int, y: int) -> Box:
    schema = node.name.schema
    heading = Text("table in {schema}", schema=schema) if node.is_table else Text("view in {schema}", schema=schema)
    return Box(
        node=node,
        url=url,
        heading=svg_boxes.shortened(translated(heading), _WIDTH),
        text=svg_boxes.shortened(node.name.name, _WIDTH),
        state=translated(_load_text(node.load) if node.is_table else _state_text(node)),
        x=x,
        y=y,
    )


def _state_text(node: LineageNode) -> Text:
    if not node.is_listed:
        return Text("in no manifest")
    is_held, is_failing = node.facts.is_held, node.facts.failing
    if node.age.as_of is None:
        return Text("held") if is_held else Text("failed") if is_failing else Text("age unknown")
    at = Text("{at:%-d %b %H:%M}", at=timezone.localtime(node.age.as_of))
    if is_held:
        return Text("held, data of {at}", at=at)
    return Text("failed, data of {at}", at=at) if is_failing else Text("data of {at}", at=at)


def _load_text(load: TableAsOf | None) -> Text:
    if load is None or load.load_id is None:
        return Text("")
    if load.loaded_at is None:
        return Text("load {load_id}", load_id=load.load_id)
    at = Text("{at:%-d %b %H:%M}", at=timezone.localtime(load.loaded_at))
    return Text("load {load_id}, {at}", load_id=load.load_id, at=at)
