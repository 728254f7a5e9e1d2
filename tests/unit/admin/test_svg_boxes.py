"""The geometry that the drawings of lineages share."""

from dataclasses import dataclass

from seeder.admin.svg_boxes import line, shortened


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    width: int = 100
    height: int = 40


def test_line_bends_in_the_gap_before_its_end() -> None:
    assert line(Box(0, 0), Box(130, 60), gap=30) == "M100 20C115 20 115 80 124 80"
    assert line(Box(0, 0), Box(400, 60), gap=30) == "M100 20C385 20 385 80 394 80"  # over other boxes


def test_shortened_text_keeps_its_end() -> None:
    assert shortened("orders_by_day", 120) == "orders_by_day"
    assert shortened("orders_by_month_and_region_2026", 120) == "orders_…n_2026"
