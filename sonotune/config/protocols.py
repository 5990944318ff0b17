"""What the key ``protocols`` of a study needs of that study and of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sonotune.config.mistakes import no_such


def check_protocols(name: str, studies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Give a line for each mistake in a study's key ``protocols``.

    Parameters
    ----------
    name
        Name of the study that has the key.
    studies
        All studies by name.
    """
    study, where = studies[name], f"studies: {name}: protocols"
    given = study["protocols"]
    for key in ("corrected", "leakage"):
        other = given.get(key)
        if other is not None and other not in studies:
            yield f"{where}: {key}: {no_such('study', other, studies, 'studies are')}"
        elif other is not None and study["datasets"][0] not in studies[other]["datasets"]:
            yield f"{where}: {key}: {other} does not have the data set {study['datasets'][0]}"
    corrected = studies.get(given["corrected"], study)
    if lacking := [name for name in study["strategies"] if name not in corrected["strategies"]]:
        yield f"{where}: corrected: {given['corrected']} has no strategy {', '.join(lacking)}"
    if not study.get("log_test_metrics") or not study["augmentation"]:
        yield f"{where}: needs log_test_metrics: true and an augmentation in the same study"
    first, last = given["epochs"]
    if not first <= last <= study["training"]["epochs"]:
        yield (
            f"{where}: epochs: must rise and end by the last epoch, "
            f"{study['training']['epochs']}; found {first} to {last}"
        )
    leakage = studies.get(given.get("leakage", ""), {})
    arms = [strategy.get("exclude", "all") for strategy in leakage.get("strategies", {}).values()]
    if leakage and sorted(arms) != ["all", "size_matched", "test_groups"]:
        yield (
            f"{where}: leakage: {given['leakage']} must have three strategies, one with exclude: "
            "test_groups, one with exclude: size_matched and one with neither"
        )
