"""An audit as a table of images and as a page for people."""

from __future__ import annotations

import base64
import csv
import html
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from sonotune.data.findings import Audit, Finding
from sonotune.data.inspect import ImageSource, ImageStats
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

STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: #111; background: #fff; margin: 1rem;
  max-width: 74rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top; }
th { font-weight: 600; }
ul.findings { list-style: none; padding: 0; }
ul.findings li { border-left: .4rem solid; padding: .2rem .6rem; margin: .4rem 0;
  white-space: pre-line; overflow-wrap: anywhere; }
ul.findings li.error { border-color: #b3261e; background: #fdecea; }
ul.findings li.warning { border-color: #d98200; background: #fff5e0; }
ul.findings li.note { border-color: #8a8a8a; background: #f3f3f3; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .6rem; }
figure { margin: 0; }
figure img { width: 100%; display: block; background: #000; }
figcaption { font-size: 12px; overflow-wrap: anywhere; }
"""


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


def write_audit_html(audit: Audit, image_source: ImageSource | None, path: str | Path) -> None:
    """Write a page that needs no other file: counts, findings, and images with outlined masks.

    Parameters
    ----------
    audit
        What the audit found.
    image_source
        The images, or None to show none.
    path
        Page to write.
    """
    title = f"Audit of {audit.dataset}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{len(audit.image_stats)} images from {html.escape(audit.source)}: {audit.verdict}. "
        "Nothing was left out or changed. <code>audit.csv</code> has a row for every image.</p>",
        "<table>",
        *(
            f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(text)}</td></tr>'
            for name, text in _facts(audit.image_stats)
        ),
        "</table>",
        "<h2>Findings</h2>",
        *_findings(audit.findings),
        *_sheets(audit, image_source),
        "</body>",
        "</html>",
    ]
    with atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", "utf-8")


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


def _findings(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return ["<p>No errors and nothing suspicious were found.</p>"]
    items = [
        f'<li class="{finding.level}"><strong>{finding.level}: {html.escape(finding.kind)}'
        "</strong>\n"
        f"{html.escape(finding.text)}</li>"
        for finding in findings
    ]
    return ['<ul class="findings">', *items, "</ul>"]


def _sheets(audit: Audit, image_source: ImageSource | None) -> Iterator[str]:
    good = [stats for stats in audit.image_stats if not stats.problem]
    if image_source is None or not good:
        return
    warned = {name for finding in audit.of_level("warning") for name in finding.names}
    suspicious = [stats for stats in good if stats.name in warned]
    if suspicious:
        yield f"<h2>Suspicious images{_of(len(suspicious), SUSPICIOUS)}</h2>"
        yield from _sheet(suspicious[:SUSPICIOUS], image_source.load)
    if audit.clusters:
        number = {stats.name: stats for stats in good}
        clusters = audit.clusters[:CLUSTERS]
        yield f"<h2>Copies, side by side{_of(len(audit.clusters), CLUSTERS)}</h2>"
        for names in clusters:
            yield from _sheet([number[name] for name in names[:SUSPICIOUS]], image_source.load)
    yield f"<h2>Images with their masks outlined{_of(len(good), SHEET)}</h2>"
    every = np.linspace(0, len(good) - 1, min(SHEET, len(good))).round().astype(int)
    yield from _sheet([good[number] for number in every], image_source.load)


def _of(all_of_them: int, displayed: int) -> str:
    return f" ({displayed} of {all_of_them})" if all_of_them > displayed else ""


def _sheet(image_stats: Sequence[ImageStats], read: Callable[[int], LoadedSample]) -> Iterator[str]:
    yield '<div class="sheet">'
    for stats in image_stats:
        name = html.escape(stats.name)
        picture = base64.b64encode(_picture(read(stats.number))).decode()
        yield (
            f'<figure><img src="data:image/jpeg;base64,{picture}" '
            f'alt="{name} with its mask outlined"><figcaption>{name}</figcaption></figure>'
        )
    yield "</div>"


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
