"""One colour and marker a strategy in every figure, and the shades of a table's row."""

from collections.abc import Sequence

import numpy as np

Style = tuple[str, str]  # hex colour, and marker of Matplotlib

# Colours of Okabe and Ito and of Paul Tol (muted), told apart with red-green blindness; each
# strategy has a marker of its own, for print in grey.
STYLES = {
    "whole": ("#000000", "o"),
    "contracting": ("#0072B2", "^"),
    "expanding": ("#E69F00", "v"),
    "except_5": ("#117733", "D"),
    "block_5": ("#CC79A7", "s"),
    "blocks_1289": ("#882255", "p"),
    "blocks_3to7": ("#56B4E9", "h"),
    "block_1": ("#332288", "<"),
    "block_9": ("#D55E00", ">"),
    "blocks_19": ("#AA4499", "d"),
    "blocks_12": ("#44AA99", "*"),
    "blocks_34": ("#999933", "8"),
    "scratch": ("#777777", "P"),
    "unchanged": ("#555555", "X"),
}
COLOURS = (
    *("#0072B2", "#E69F00", "#117733", "#CC79A7", "#882255", "#56B4E9"),
    *("#332288", "#D55E00", "#44AA99", "#999933", "#000000"),
)
MARKERS = "os^vD<>PX"

# Light green, yellow, red: the lightness falls evenly from best to worst (CIE L* 90, 80, 70), so
# the order survives red-green blindness and grey print, and black text has a contrast above 7.
SHADES = ((0xF0, 0x92, 0x86), (0xF0, 0xC2, 0x52), (0xBC, 0xEF, 0xBC))


def style_of(strategy: str, strategies: Sequence[str]) -> Style:
    """Colour and marker of a strategy.

    Parameters
    ----------
    strategy
        Name of the strategy.
    strategies
        All strategies of the study in the configuration's order. One that has no fixed style
        takes the next of a cycle of 99 by its place among those without, colours that the study's
        fixed styles have last.
    """
    if strategy in STYLES:
        return STYLES[strategy]
    unknown = [name for name in strategies if name not in STYLES]
    index = unknown.index(strategy) if strategy in unknown else len(unknown)
    fixed = {STYLES[name] for name in strategies if name in STYLES}
    taken = {colour for colour, _ in fixed}
    cycle = [
        (COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)])
        for number in range(len(COLOURS) * len(MARKERS))
    ]
    free = sorted((style for style in cycle if style not in fixed), key=lambda s: s[0] in taken)
    return free[index % len(free)]


def shade(position: float) -> str:
    """Hex colour of a table's cell: 0 the worst of its row, 0.5 the median, 1 the best.

    Parameters
    ----------
    position
        Place in the row, in [0,1].
    """
    channels = (np.interp(position, (0, 0.5, 1), ends) for ends in zip(*SHADES, strict=True))
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)
