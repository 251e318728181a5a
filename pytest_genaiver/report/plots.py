"""Small plots as inline SVG that a strict content security policy allows: no text, no style, no identifiers.

Drawn by matplotlib; colours become classes, so that the page's own light and dark rules apply.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _HEIGHT = 150, 26
_POINTS_AN_INCH = 72
# Stand-ins for colours while matplotlib draws.
_CLASSES = {"#000001": "axis", "#000002": "band", "#000003": "mark", "#000004": "line"}
_AXIS, _BAND, _MARK, _LINE = _CLASSES


def available() -> bool:
    """Whether matplotlib is installed: MLflow brings it, its smaller distribution does not."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def interval(drop: float, upper: float | None, tolerance: float) -> str:
    """A change, worse to the left: the tolerance around no change, the point, and how far down it may really be."""
    low = -drop if upper is None else min(-upper, -drop)
    reach = max(abs(low), abs(drop), 1.4 * tolerance, 1e-9) * 1.15

    def draw(axes: Any) -> None:
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-1, 1)
        axes.axvspan(-tolerance, tolerance, color=_BAND, linewidth=0, clip_on=False)
        axes.plot([0, 0], [-1, 1], color=_AXIS, linewidth=1, clip_on=False)
        axes.plot([low, -drop], [0, 0], color=_MARK, linewidth=3, solid_capstyle="round", clip_on=False)
        _dot(axes, -drop, 0, reach, 1, 4.5)

    return _drawn(draw)


def history(values: Sequence[float]) -> str:
    """The values of one metric over versions, oldest first; the last one is marked."""
    low, high = min(values), max(values)
    middle, half = (low + high) / 2, max((high - low) / 2, abs(high) * 1e-6, 1e-9) * 1.5
    last = max(len(values) - 1, 1)

    def draw(axes: Any) -> None:
        axes.set_xlim(-0.06 * last, 1.06 * last)
        axes.set_ylim(middle - half, middle + half)
        axes.plot(range(len(values)), values, color=_LINE, linewidth=1.6, clip_on=False)
        _dot(axes, len(values) - 1, values[-1], 0.56 * last, half, 3.5)

    return _drawn(draw)


def _dot(axes: Any, x: float, y: float, half_width: float, half_height: float, radius: float) -> None:
    """A circle of that many points, in axes that reach so far to each side."""
    from matplotlib.patches import Ellipse

    width, height = 4 * radius * half_width / _WIDTH, 4 * radius * half_height / _HEIGHT
    axes.add_patch(Ellipse((x, y), width, height, facecolor=_MARK, linewidth=0, clip_on=False))


def _drawn(draw: Callable[[Any], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "genaiver", "path.simplify": False}):
        figure = Figure(figsize=(_WIDTH / _POINTS_AN_INCH, _HEIGHT / _POINTS_AN_INCH))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        draw(axes)
        axes.set_axis_off()
        figure.patch.set_visible(False)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _plain(ElementTree.fromstring(written.getvalue()))


def _plain(drawing: ElementTree.Element) -> str:
    """Only the paths, with classes in place of styles."""
    paths = [_path(node) for node in drawing.iter(f"{{{_SVG}}}path")]
    box = drawing.attrib["viewBox"]
    return (
        f'<svg class="plot" viewBox="{box}" width="{_WIDTH}" height="{_HEIGHT}">{"".join(filter(None, paths))}</svg>'
    )


def _path(node: ElementTree.Element) -> str:
    styles = dict(re.findall(r"([\w-]+): ([^;]+)", node.attrib.get("style", "")))
    classes = [
        f"{what}-{_CLASSES[colour]}" for what in ("fill", "stroke") if (colour := styles.get(what, "")) in _CLASSES
    ]
    if not classes:
        return ""
    shape = re.sub(r"\s+", " ", node.attrib["d"]).strip()
    width = styles.get("stroke-width", "1")
    round_ = ' stroke-linecap="round"' if styles.get("stroke-linecap") == "round" else ""
    return f'<path class="{" ".join(classes)}" stroke-width="{width}"{round_} d="{shape}"/>'
