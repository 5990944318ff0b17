"""Print how long a data set takes to prepare, with more and more of its images, and its memory.

python benchmarks/prepare.py READER FOLDER SIZE [THREADS]   (e.g. hc18 resources/hc18 512)
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from sonotune.data.prepare import prepare
from sonotune.data.readers import files_of, find_entries


def take(reader: str, folder: Path, number: int, part: Path) -> dict[str, object]:
    """Link the files of the first images into a folder; the settings that read only these."""
    settings = {"reader": reader, "source": reader}
    entries = find_entries(settings, folder)
    # HC18's table has to fit its images, so there the others are left out by name.
    rest = [entry.name for entry in entries[number:]] if reader == "hc18" else []
    chosen = {file for entry in entries[:number] for file in (entry.image, *entry.masks)}
    for file in files_of(settings, folder) if reader == "hc18" else chosen:
        link = part / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())
    return {**settings, reader: {"leave_out": rest} if rest else {}}


reader, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
workers = int(sys.argv[4]) if len(sys.argv) > 4 else 2
count = len(find_entries({"reader": reader}, folder))
print(f"{reader} at {size} x {size}, {workers} threads\nimages  seconds  largest memory")
for number in (count // 4, count // 2, count):
    with tempfile.TemporaryDirectory() as temporary:
        part = Path(temporary) / "part"
        settings = take(reader, folder, number, part)
        start = time.perf_counter()
        prepare(reader, settings, size, Path(temporary) / "out", part, workers)
        seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{number:6} {seconds:8.1f} {memory:10.0f} MB", flush=True)
