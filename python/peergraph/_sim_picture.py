"""A picture of a simulated network, as SVG: needs nothing but something that shows it."""

from __future__ import annotations

import math
import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ._sim_topology import nodes, parts, topology

if TYPE_CHECKING:
    from .sim import Network

PART_COLOURS: Final = ("#2f6fb0", "#c8641b", "#3b8f4a", "#8a4fa3", "#a8862b", "#2d8f93", "#b0467a", "#5d6b2f")
CUT: Final = "#cc2222"
LINE: Final = "#667788"
DOWN: Final = "#b4b4b4"
MARGIN: Final = 70
TITLE_HEIGHT: Final = 60


class Picture:
    """An SVG: shown by notebooks, saved for browsers."""

    def __init__(self, svg: str) -> None:
        self.svg = svg
        """The text of the picture."""

    def __str__(self) -> str:
        return self.svg

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file, which a browser shows."""
        Path(path).write_text(self.svg, encoding="utf-8")


def picture_of(network: Network) -> Picture:
    """The hosts in a circle, part beside part."""
    about = nodes(network)
    order = [[host.name for host in part] for part in parts(network)]
    down = [name for name, node in about.items() if not node["up"]]
    groups = [group for group in [*order, down] if group]
    size = 2 * MARGIN + max(160, 26 * (len(about) + len(groups)))
    places = _places(groups, size)
    extent = f'viewBox="0 0 {size} {size + TITLE_HEIGHT}" width="{size}" height="{size + TITLE_HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {extent} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_title(network, len(order), len(down)),
        *_edges(network, places),
        *(_node(name, node, places[name], size) for name, node in about.items()),
        "</svg>",
    ]
    return Picture("\n".join(lines) + "\n")


def _places(groups: list[list[str]], size: int) -> dict[str, tuple[float, float]]:
    """A place on the circle for each name; a gap of one place between groups."""
    slots: list[str | None] = []
    for group in groups:
        slots += [*group, None] if len(groups) > 1 else group
    middle, radius = size / 2, size / 2 - MARGIN
    places = {}
    for index, name in enumerate(slots):
        if name is not None:
            angle = 2 * math.pi * index / len(slots) - math.pi / 2
            x, y = middle + radius * math.cos(angle), TITLE_HEIGHT + middle + radius * math.sin(angle)
            places[name] = (round(x, 1), round(y, 1))
    return places


def _title(network: Network, part_count: int, down_count: int) -> list[str]:
    told = [f"{network.now:.3f} s", f"seed {network.seed}", f"{len(network.hosts)} hosts"]
    if part_count > 1:
        told.append(f"{part_count} parts")
    if down_count:
        told.append(f"{down_count} down")
    return [f'<text x="12" y="22" font-weight="bold">{escape(", ".join(told))}</text>', *_key(part_count)]


def _key(part_count: int) -> list[str]:
    """What the marks mean."""
    first = PART_COLOURS[0]
    lines = [f'<g font-size="10" fill="{LINE}">']
    for x, fill, stroke, meaning in (
        (18, first, first, "present"),
        (82, "white", first, "not present"),
        (164, "white", DOWN, "down"),
    ):
        lines.append(f'<circle cx="{x}" cy="38" r="5" fill="{fill}" stroke="{stroke}" stroke-width="2"/>')
        lines.append(f'<text x="{x + 10}" y="41.5">{meaning}</text>')
    lines.append(f'<line x1="213" y1="38" x2="237" y2="38" stroke="{CUT}" stroke-width="2" stroke-dasharray="6 4"/>')
    lines.append('<text x="242" y="41.5">cut</text>')
    if part_count > 1:
        lines.append('<text x="12" y="57">each part has its colour</text>')
    return [*lines, "</g>"]


def _edges(network: Network, places: dict[str, tuple[float, float]]) -> list[str]:
    lines = []
    for src, others in topology(network).items():
        for dst, edge in others.items():
            if src != edge["dialled_by"]:
                continue
            (x1, y1), (x2, y2) = places[src], places[dst]
            style = f'stroke="{CUT}" stroke-dasharray="6 4"' if edge["cut"] else f'stroke="{LINE}"'
            width = 2 if edge["neighbour"] else 0.7
            tip = f"{src} dialled {dst} at {edge['since']:.3f} s"
            lines.append(
                f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style} stroke-width="{width}">'
                f"<title>{escape(tip)}</title></line>"
            )
    return lines


def _node(name: str, node: dict[str, Any], place: tuple[float, float], size: int) -> str:
    x, y = place
    colour = DOWN if node["part"] is None else PART_COLOURS[node["part"] % len(PART_COLOURS)]
    fill = colour if node["present"] else "white"
    middle_x, middle_y = size / 2, size / 2 + TITLE_HEIGHT
    distance = math.hypot(x - middle_x, y - middle_y) or 1.0
    label_x, label_y = x + 18 * (x - middle_x) / distance, y + 18 * (y - middle_y) / distance + 4
    anchor = "middle" if abs(x - middle_x) < 20 else ("start" if x > middle_x else "end")
    tip = f"{name} {node['address']}" + (f", graphs: {', '.join(node['graphs'])}" if node["graphs"] else "")
    return (
        f'<circle cx="{x}" cy="{y}" r="9" fill="{fill}" stroke="{colour}" stroke-width="3">'
        f"<title>{escape(tip)}</title></circle>"
        f'<text x="{label_x:.1f}" y="{label_y:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
    )
