"""What the keys of a data set mean for one another, and their defaults."""

from collections.abc import Iterator
from typing import Any

from sonotune.data.catalogue import WEIGHTS, find_entry
from sonotune.data.readers import MADE_HERE, READERS
from sonotune.errors import SonotuneError
from sonotune.simulation.collage_settings import Collage
from sonotune.simulation.settings import Simulation


def complete_datasets(config: dict[str, Any]) -> Iterator[str]:
    """Fill in the defaults of all data sets, in place; yield one line per mistake.

    Parameters
    ----------
    config
        A configuration that the schema accepts; changed in place.
    """
    for name, dataset in config["datasets"].items():
        where = f"datasets: {name}"
        try:
            reader = _complete_reader(dataset)
        except SonotuneError as error:
            yield f"{where}: {error}"
            continue
        dataset.setdefault("source", dataset.get("catalogue", name))
        dataset.setdefault("label", name.upper())
        for other in [key for key in (*MADE_HERE, *READERS) if key in dataset and key != reader]:
            yield f"{where}: {other}: does not apply to the reader {reader}; remove it"
        if reader not in MADE_HERE:
            if "images" in dataset.get("busi", {}):  # some that are drawn
                dataset["busi"].setdefault("seed", config["seed"])
            continue
        if "images" not in dataset:
            yield f"{where}: needs the key 'images', the number to make"
        dataset.setdefault("seed", config["seed"])
        settings = Simulation() if reader == "simulate" else Collage()
        dataset.setdefault(reader, settings.model_dump())


def _complete_reader(dataset: dict[str, Any]) -> str:
    """The reader of a data set, which a catalogue's entry brings along."""
    if "catalogue" in dataset:
        reader = find_entry(dataset["catalogue"]).reader
        if reader == WEIGHTS:
            raise SonotuneError(f"catalogue: {dataset['catalogue']} holds weights and no images")
        if dataset.setdefault("reader", reader) != reader:
            raise SonotuneError(f"reader: must be {reader} or left out for this entry")
    elif "reader" not in dataset:
        raise SonotuneError("needs the key 'catalogue' or the key 'reader'")
    elif dataset["reader"] not in (*MADE_HERE, "folder"):
        raise SonotuneError(
            f"reader: {dataset['reader']} reads a published data set; write catalogue: instead"
        )
    return str(dataset["reader"])
