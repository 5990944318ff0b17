"""An audit as a table of images and as a page for people."""

import base64
import csv
import html
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from sonotune.data.audit import Audit
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
            **row,
            "grey_mean": None if row["problem"] else f"{row['grey_mean']:.2f}",
            "foreground": None if row["problem"] else f"{row['foreground']:.6f}",
            "mask_values": row["profile"].describe_values() if row["profile"] else "",
            "same_as": "; ".join(same[row["name"]]),
            "nearly": "; ".join(near[row["name"]]),
            "notes": "; ".join(row["notes"]),
            "verdict": verdicts.get(row["name"], "ok"),
            "reasons": "; ".join([*reasons[row["name"]], *filter(None, [row["problem"]])]),
        }
        for row in audit.images.to_dict("records")
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
        images=len(audit.images),
        source=_text(audit.source),
        verdict=audit.verdict,
        facts=[map(_text, fact) for fact in _facts(audit.images)],
        findings=[map(_text, (one.level, one.kind, one.text)) for one in audit.findings],
        sheets=_sheets(audit),
    )
    with atomic(path) as temporary:
        temporary.write_text(f"{page}\n", "utf-8")


def _text(text: str) -> Markup:
    """A text as HTML shows it."""
    return Markup(html.escape(text))  # noqa: S704


def _facts(images: pd.DataFrame) -> Iterator[tuple[str, str]]:
    good = images[images.problem == ""]
    yield "Groups (examinations, patients)", str(images.group.nunique())
    if good.empty:
        return
    sizes = Counter(zip(good.width, good.height, strict=True))
    common = [f"{width} x {height} ({count})" for (width, height), count in sizes.most_common(6)]
    more = f", and {len(sizes) - 6} other sizes" if len(sizes) > 6 else ""
    yield "Width x height, pixels (images)", ", ".join(common) + more
    for fact, column, form in (
        ("Millimetres per pixel", "mm_per_pixel_x", ".4f"),
        ("Darkest grey value", "grey_least", "d"),
        ("Mean grey value", "grey_mean", ".0f"),
        ("Brightest grey value", "grey_most", "d"),
        ("Share of the image that is marked", "foreground", ".1%"),
        ("Objects in a mask", "components", "d"),
    ):
        values = sorted(good[column].dropna())
        chosen = [format(values[i], form) for i in (0, len(values) // 2, -1) if values]
        least, middle, most = chosen or ["not known"] * 3
        yield fact, least if least == most else f"{least} to {most}, median {middle}"


def _sheets(audit: Audit) -> Iterator[tuple[str, Iterable[_Pictures]]]:
    """Titles of contact sheets, each with groups of images that stand together."""
    usable = audit.images[audit.images.problem == ""]
    good = dict(zip(usable.name, usable.read, strict=True))
    if not good:
        return

    def pictures(names: Iterable[str]) -> _Pictures:
        for name in names:
            picture = _picture(good[name]())
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
