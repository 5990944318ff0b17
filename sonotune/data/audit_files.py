"""An audit as a table of images and as a page for people."""

import base64
import csv
import html
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from sonotune.data.inspect import Audit, ImageStats
from sonotune.data.readers.pixels import LoadedSample
from sonotune.runtime.files import atomic, write_csv

COLUMNS = (
    *("name", "group", "image", "masks"),
    *("height", "width", "mm_per_pixel_y", "mm_per_pixel_x"),
    *("grey_least", "grey_mean", "grey_most"),
    *("foreground", "components", "mask_values"),
    *("same_as", "nearly", "notes", "verdict", "reasons"),
)
# Images on the contact sheet: evenly taken from all, and of those that a finding names.
SHEET, SUSPICIOUS, CLUSTERS = 40, 24, 100
SIDE = 160
OUTLINE = (0, 194, 255)  # blue, green, red
PAGE = Path(__file__).with_name("audit.html")

# Names of images, and JPEGs in base64.
_Pictures = Iterator[tuple[Markup, str]]


def write_audit_csv(audit: Audit, path: str | Path) -> None:
    """Write one row per image with `COLUMNS`; ``verdict`` is ok, warning or error.

    Parameters
    ----------
    audit
        What the audit found.
    path
        CSV to write.
    """
    reasons: dict[str, list[str]] = defaultdict(list)
    verdicts: dict[str, str] = {}
    for finding in (*audit.of_level("error"), *audit.of_level("warning")):
        for name in finding.names:
            reasons[name].append(finding.kind)
            verdicts.setdefault(name, finding.level)
    same, near = _others(audit.same), _others(audit.near)
    rows = [
        {
            **vars(stats),
            "grey_mean": None if stats.grey_mean is None else f"{stats.grey_mean:.2f}",
            "foreground": None if stats.foreground is None else f"{stats.foreground:.6f}",
            "mask_values": "" if stats.profile is None else stats.profile.describe_values(),
            "same_as": "; ".join(same[stats.name]),
            "nearly": "; ".join(near[stats.name]),
            "notes": "; ".join(stats.notes),
            "verdict": verdicts.get(stats.name, "ok"),
            "reasons": "; ".join([*reasons[stats.name], *filter(None, [stats.problem])]),
        }
        for stats in audit.image_stats
    ]
    write_csv(path, COLUMNS, rows)


def _others(sets: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    """By name, the other names of the sets that it is in."""
    others: dict[str, list[str]] = defaultdict(list)
    for names in sets:
        for name in names:
            others[name] += [other for other in names if other != name]
    return others


def write_duplicates(audit: Audit, path: str | Path) -> None:
    """Write clusters of copies as a table that people can correct.

    `sonotune.data.grouping.read_clusters` reads it; a row that is removed has no copy any more.

    Parameters
    ----------
    audit
        What the audit found.
    path
        CSV to write.
    """
    exact = {name for names in audit.same for name in names}
    whys = {True: "same pixels as another", False: "nearly the same as another"}
    rows = [
        {"cluster": number, "image": name, "why": whys[name in exact]}
        for number, names in enumerate(audit.clusters, 1)
        for name in names
    ]
    write_csv(path, ("cluster", "image", "why"), rows)


def describe_problems(path: str | Path) -> str:
    """From a table of `write_audit_csv`, how many images are not ok, or nothing if all are.

    Parameters
    ----------
    path
        The table.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
    parts = [
        f"{verdicts[level]} with {level}s" for level in ("error", "warning") if verdicts[level]
    ]
    return f"{' and '.join(parts)} of {verdicts.total()} images" if parts else ""


def write_audit_html(audit: Audit, path: str | Path) -> None:
    """Write a page that needs no other file: counts, findings, and images with outlined masks.

    Parameters
    ----------
    audit
        What the audit found.
    path
        Page to write.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(PAGE.read_text("utf-8")).render(
        dataset=_text(audit.dataset),
        images=len(audit.image_stats),
        source=_text(audit.source),
        verdict=audit.verdict,
        facts=[map(_text, fact) for fact in _facts(audit.image_stats)],
        findings=[map(_text, (one.level, one.kind, one.text)) for one in audit.findings],
        sheets=_sheets(audit),
    )
    with atomic(path) as temporary:
        temporary.write_text(f"{page}\n", "utf-8")


def _text(text: str) -> Markup:
    """A text as HTML shows it."""
    return Markup(html.escape(text))  # noqa: S704


def _facts(image_stats: Sequence[ImageStats]) -> Iterator[tuple[str, str]]:
    good = [stats for stats in image_stats if not stats.problem]
    yield "Groups (examinations, patients)", str(len({stats.group for stats in image_stats}))
    if not good:
        return
    sizes = Counter((stats.width, stats.height) for stats in good)
    common = [f"{width} x {height} ({count})" for (width, height), count in sizes.most_common(6)]
    more = f", and {len(sizes) - 6} other sizes" if len(sizes) > 6 else ""
    yield "Width x height, pixels (images)", ", ".join(common) + more
    yield "Millimetres per pixel", _span(good, "mm_per_pixel_x", ".4f") or "not known"
    yield "Darkest grey value", _span(good, "grey_least", "d")
    yield "Mean grey value", _span(good, "grey_mean", ".0f")
    yield "Brightest grey value", _span(good, "grey_most", "d")
    yield "Share of the image that is marked", _span(good, "foreground", ".1%")
    yield "Objects in a mask", _span(good, "components", "d")


def _span(image_stats: Sequence[ImageStats], what: str, form: str) -> str:
    values = sorted(v for stats in image_stats if (v := getattr(stats, what)) is not None)
    if not values:
        return ""
    least, middle, most = (format(values[i], form) for i in (0, len(values) // 2, -1))
    return least if least == most else f"{least} to {most}, median {middle}"


def _sheets(audit: Audit) -> Iterator[tuple[str, Iterable[_Pictures]]]:
    """Titles of contact sheets, each with groups of images that stand together."""
    good = {stats.name: stats for stats in audit.image_stats if not stats.problem}
    if not good:
        return

    def pictures(names: Iterable[str]) -> _Pictures:
        for name in names:
            picture = _picture(good[name].read())
            yield _text(name), base64.b64encode(picture).decode()

    warned = {name for finding in audit.of_level("warning") for name in finding.names}
    if suspicious := [name for name in good if name in warned]:
        title = f"Suspicious images{_of(len(suspicious), SUSPICIOUS)}"
        yield title, [pictures(suspicious[:SUSPICIOUS])]
    if audit.clusters:
        title = f"Copies, side by side{_of(len(audit.clusters), CLUSTERS)}"
        yield title, (pictures(names[:SUSPICIOUS]) for names in audit.clusters[:CLUSTERS])
    every = np.linspace(0, len(good) - 1, min(SHEET, len(good))).round().astype(int)
    title = f"Images with their masks outlined{_of(len(good), SHEET)}"
    yield title, [pictures(list(good)[number] for number in every)]


def _of(all_of_them: int, displayed: int) -> str:
    return f" ({displayed} of {all_of_them})" if all_of_them > displayed else ""


def _picture(loaded: LoadedSample) -> bytes:
    """A small JPEG with the outline of the mask."""
    height, width = loaded.image.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = cv2.cvtColor(
        cv2.resize(loaded.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR
    )
    mask = cv2.resize(loaded.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, OUTLINE, 1)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
