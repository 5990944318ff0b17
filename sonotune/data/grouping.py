"""Which images stay on one side of every split: those of a group, and those that are duplicates."""

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from sonotune.data.tables import read_table
from sonotune.errors import SonotuneError, printable

DUPLICATES, BOTH = "duplicates", "both"


def groups_for(
    grouped: bool | str,
    names: Sequence[str],
    groups: Sequence[str],
    clusters: str | Path | None = None,
) -> list[str]:
    """One group name per image, as a study's key ``resampling: grouped`` asks for.

    Parameters
    ----------
    grouped
        ``duplicates`` (clusters of near-duplicates), ``both`` (those and the data set's groups
        joined: two images are in one group if a chain of either kind leads from one to the
        other), or a bool (the data set's groups).
    names, groups
        Of every image.
    clusters
        File of near-duplicates (see `read_clusters`), for the first two.

    Raises
    ------
    SonotuneError
        If the file is needed and missing, or names other images.
    """
    if isinstance(grouped, bool):
        return list(groups)
    if clusters is None:
        raise SonotuneError(f"resampling: grouped: {grouped} needs the file of duplicates")
    cluster_of = read_clusters(clusters, names)
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for name, group in zip(names, groups, strict=True):
        keys = [f"name {name}"]
        if name in cluster_of:
            keys.append(f"cluster {cluster_of[name]}")
        if grouped == BOTH:
            keys.append(f"group {group}")
        for key in keys[1:]:
            parent[root(key)] = root(keys[0])
    first: dict[str, str] = {}
    return [first.setdefault(root(f"name {name}"), name) for name in names]


def read_clusters(path: str | Path, names: Sequence[str]) -> dict[str, str]:
    """The cluster of every image that a file of near-duplicates names.

    It is a CSV with the columns cluster and image, which people may correct; images that it does
    not name have no duplicate.

    Parameters
    ----------
    path
        A CSV of `sonotune.data.audit_files.write_duplicates`.
    names
        Names of the images.

    Raises
    ------
    SonotuneError
        If there is no such file, or it names an unknown image or one twice.
    """
    where = "resampling: grouped: duplicates"
    # A data set without duplicates has a file with the header alone.
    rows = read_table(Path(path), ("cluster", "image"), ("why",), where, True, ("image",))
    # People and programs leave blanks around names, and some blanks are part of a name.
    exact, known = set(names), defaultdict(list)
    for name in names:
        known[name.strip()].append(name)
    cluster_of: dict[str, str] = {}
    for line, row in rows:
        image = row["image"]
        meant = [image] if image in exact else known.get(image.strip(), [])
        problem = ""
        if not row["cluster"]:
            problem = "cluster is empty"
        elif not meant:
            near = difflib.get_close_matches(image.strip(), names, n=1)
            problem = f"there is no image {printable(image)!r}"
            problem += f"; did you mean {printable(near[0])!r}?" if near else ""
        elif len(meant) > 1:
            problem = f"{len(meant)} images are called {printable(image)!r} but for blanks"
        elif meant[0] in cluster_of:
            problem = f"{printable(image)} is there twice"
        if problem:
            raise SonotuneError(f"{where}: {printable(path)}: line {line}: {problem}")
        cluster_of[meant[0]] = row["cluster"]
    return cluster_of


def count_with_duplicate(
    tested: Sequence[int], trained: Sequence[int], clusters: Mapping[int, str]
) -> int:
    """How many test images have a near-duplicate among the images trained on.

    Parameters
    ----------
    tested, trained
        Rows.
    clusters
        By row; rows without a duplicate are left out.
    """
    met = {clusters[row] for row in trained if row in clusters}
    return sum(clusters.get(row) in met for row in tested)
