"""A network as a drawing: its stages down the encoder and up the decoder."""

from collections.abc import Sequence
from typing import Any

from sonotune.report.u_shape import u_shape

BOX = (60, 30)
STEP = (64, 42)  # from a column, and a level, to the next
MARGIN = 8


def describe_network(
    name: str, title: str, start: str, tuned: Sequence[str], stages: Sequence[str]
) -> dict[str, Any]:
    """The network of a strategy, as the page's template draws it and puts it into words.

    Parameters
    ----------
    name, title
        Of the strategy.
    start
        ``pretrained``, ``random``, or ``encoder`` where only the encoder has published weights.
    tuned
        Stages that the strategy tunes.
    stages
        All stages, input to output.
    """
    random = {
        "random": list(stages),
        "encoder": [stage for stage in stages if not stage.startswith("encoder")],
    }.get(start, [])
    shape = u_shape(stages)
    boxes = {}
    for stage in stages:
        place = shape[stage]
        x = MARGIN + STEP[0] * (2 * place.column + place.last - place.first) // 2
        y = MARGIN + STEP[1] * (place.first + place.last) // 2
        boxes[stage] = {"x": x, "y": y, "tuned": stage in tuned, "random": stage in random}
    right, bottom = (max(box[axis] for box in boxes.values()) for axis in ("x", "y"))
    centres = {s: (box["x"] + BOX[0] // 2, box["y"] + BOX[1] // 2) for s, box in boxes.items()}
    skips = {stage: place.skip for stage, place in shape.items() if place.skip}
    return {
        "name": name,
        "label": title,
        "boxes": boxes,
        "box": BOX,
        "size": (right + BOX[0] + MARGIN, bottom + BOX[1] + MARGIN),
        "path": "M" + "L".join(f"{x} {y}" for x, y in centres.values()),
        "skips": [(*centres[first], *centres[last]) for first, last in skips.items()],
        "tuned": [stage for stage in stages if stage in tuned],
        "frozen": [stage for stage in stages if stage not in tuned],
        "random": bool(random),
    }
