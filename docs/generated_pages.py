"""Pages of the site that are made from the project itself; a hook of MkDocs (`mkdocs.yml`)."""

import json
import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import networkx
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
# Files outside this folder, by the address of their page.
COPIED = {"index.md": "README.md", "configuration.md": "config/README.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {page: from_root(ROOT / source) for page, source in COPIED.items()}
    pages["quickstart.md"] = notebook(ROOT / "docs/notebooks/quickstart.ipynb")
    pages["workflow.md"] = rule_graph()
    pages |= {f"api/{room}.md": text for room, text in api().items()}
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Name a file of the repository that is no page, instead of linking to it."""
    copied = {f"../{source}": page for page, source in COPIED.items()}
    for source, page in copied.items():
        markdown = markdown.replace(f"]({source}", f"]({page}")
    return re.sub(r"\[([^\]]*)\]\(\.\./([^)]*)\)", r"\1 (`\2`)", markdown)


def from_root(path: Path) -> str:
    """Text of a page whose links begin at the root or in a folder below it."""
    text = path.read_text("utf-8").replace("](../docs/", "](").replace("](docs/", "](")
    text = text.replace("](config/README.md", "](configuration.md").replace(".ipynb)", ".md)")
    text = text.replace("](notebooks/", "](")
    names = "|".join(re.escape(file.name) for file in ROOT.iterdir() if file.is_file())
    return re.sub(rf"\]\(({names})\)", r"](../\1)", text)


def notebook(path: Path) -> str:
    """Text of a notebook: its words, and its code in blocks."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    blocks = [
        text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
        for cell in cells
        for text in ["".join(cell["source"])]
    ]
    return "\n\n".join(blocks).replace("](../", "](")


def rule_graph() -> str:
    """Page of the rules that the demonstration runs, as Snakemake finds them."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        command += ["--configfile", ROOT / "config/demo.yaml", "--rulegraph", "dot"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', run.stdout))
    if run.returncode or not names:
        raise PluginError(f"no graph of the rules: {run.stderr}")
    graph = networkx.DiGraph(
        (names[first], names[then]) for first, then in re.findall(r"(\d+) -> (\d+)", run.stdout)
    )
    return (
        "# The workflow\n\nThe rules of the demonstration (`config/demo.yaml`) from top to bottom. "
        "A line leads from a rule to the rules that read its files. These may also read files "
        f"of rules further up. Drawn from the workflow itself.\n\n{drawing(graph)}\n"
    )


def drawing(graph: networkx.DiGraph) -> str:
    """Draw a graph in layers, without the lines that follow from others; colours are the page's."""
    graph = networkx.transitive_reduction(graph)
    layers = list(networkx.topological_generations(graph))
    layer_of = {name: y for y, layer in enumerate(layers) for name in layer}
    # A line passes the layers between its ends at places of its own, not through boxes.
    ways = [
        [first, *((first, then, y) for y in range(layer_of[first] + 1, layer_of[then])), then]
        for first, then in graph.edges
    ]
    steps = networkx.DiGraph(step for way in ways for step in pairwise(way))
    places: dict[Any, tuple[float, float]] = {}
    for y, layer in enumerate(networkx.topological_generations(steps)):
        # Below the mean of what leads to it, so that few lines cross.
        means = {
            node: fmean(places[above][0] for above in steps.predecessors(node)) if y else 0.0
            for node in layer
        }
        for x, node in enumerate(sorted(layer, key=lambda node: (means[node], str(node)))):
            places[node] = (150 * (x - (len(layer) - 1) / 2), 80 * y)
    lines = []
    for first, then in steps.edges:
        (x1, y1), (x2, y2) = places[first], places[then]
        top, bottom = y1 + 16 * (first in graph), y2 - 16 * (then in graph)
        lines.append(f'<path d="M{x1} {top} C{x1} {top + 30} {x2} {bottom - 30} {x2} {bottom}"/>')
    boxes = [
        f'<rect x="{x - 55}" y="{y - 16}" width="110" height="32" rx="6"/>'
        f'<text x="{x}" y="{y + 5}" text-anchor="middle" fill="currentColor" stroke="none">'
        f"{name}</text>"
        for name, (x, y) in places.items()
        if name in graph
    ]
    left, right = (edge(x for x, _ in places.values()) for edge in (min, max))
    below = max(y for _, y in places.values())
    return (
        f'<svg viewBox="{left - 60} -20 {right - left + 120} {below + 40}" role="img" '
        'aria-label="Rules of the workflow" fill="none" stroke="currentColor" font-size="15" '
        f'style="max-width: {right - left + 120}px">{"".join(lines + boxes)}</svg>'
    )


def api() -> dict[str, str]:
    """Text of a page for each room of the library, with its modules in order of their names."""
    pages: dict[str, str] = {}
    for file in sorted((ROOT / "sonotune").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if len(parts) < 2 or parts[-1].startswith("_"):
            continue
        pages.setdefault(parts[1], f"# sonotune.{parts[1]}\n")
        pages[parts[1]] += f"\n::: {'.'.join(parts)}\n"
    return pages
