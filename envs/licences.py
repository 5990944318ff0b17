"""Print the licence of every locked package that is installed, as the package itself tells it."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path


def licence(package: Distribution) -> str:
    """By its metadata, or else the first line of its licence's text; "" if it does not tell."""
    about = package.metadata
    classified = [
        one.rpartition(" :: ")[2]
        for one in about.get_all("Classifier") or []
        if one.startswith("License :: ") and one != "License :: OSI Approved"
    ]
    files = [file for file in package.files or [] if re.match("LICEN[CS]E", file.name)]
    text = about.get("License") or "".join(file.read_text() for file in files[:1])
    first = text.strip().partition("\n")[0]
    return about.get("License-Expression") or ", ".join(classified) or first


def licences(lock: Path) -> Iterator[tuple[str, str]]:
    """Each locked package that is installed here, with its licence."""
    for name in re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.MULTILINE):
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system or version of Python
            continue
        yield f"{name} {package.version}", licence(package)


if __name__ == "__main__":
    for name, told in licences(Path(__file__).with_name("requirements.lock")):
        print(f"{name}: {told or 'unknown'}")
