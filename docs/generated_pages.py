"""Pages of the site that are made from the project itself; a hook of MkDocs (`mkdocs.yml`)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

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
        command += ["--configfile", ROOT / "config/demo.yaml", "--rulegraph", "mermaid-js"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode or "flowchart" not in run.stdout:
        raise PluginError(f"no graph of the rules: {run.stderr}")
    graph = run.stdout[run.stdout.index("flowchart") :].strip()
    return (
        "# The workflow\n\nThe rules of the demonstration (`config/demo.yaml`), each with those "
        f"whose files it reads. Drawn from the workflow itself.\n\n```mermaid\n{graph}\n```\n"
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
