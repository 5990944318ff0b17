"""Check a configuration and fill in defaults, so that a typo costs one line and no training.

The models hold the keys, types, limits and defaults (`sonotune.config.model`); what one key means
for another is checked here. Nothing here loads PyTorch: it runs at every start of the workflow.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sonotune.config.datasets import complete_datasets
from sonotune.config.form import plain, read_yaml
from sonotune.config.mistakes import mistakes, no_such
from sonotune.config.model import Configuration, WithoutStudies
from sonotune.config.networks import networks_of, start_of
from sonotune.config.resampling import complete_resampling
from sonotune.errors import SonotuneError
from sonotune.layout import fraction_text
from sonotune.networks.settings import complete_network, divisor_of, smallest_of, stages_of


def read_configuration(path: str | Path, with_studies: bool = True) -> dict[str, Any]:
    """Read a configuration file, check it, and fill in all defaults.

    Parameters
    ----------
    path
        A YAML file.
    with_studies
        False leaves the studies out, which then need not be there or be right.

    Raises
    ------
    SonotuneError
        If it is not there, is no YAML, or holds mistakes, with one line for each.
    """
    if not Path(path).is_file():
        raise SonotuneError(f"{path}: there is no such configuration file")
    config = read_yaml(path)
    if not isinstance(config, dict):
        raise SonotuneError(f"{path}: must be a mapping with the keys datasets and studies")
    if not with_studies:
        config.pop("studies", None)
    return complete(config, Configuration if with_studies else WithoutStudies)


def complete(
    config: Mapping[str, Any], model: type[Configuration] = Configuration
) -> dict[str, Any]:
    """Check a configuration by its models and against itself; return it with all defaults.

    Parameters
    ----------
    config
        As read from YAML.
    model
        What it must be.

    Raises
    ------
    SonotuneError
        With one line for each mistake: the key, what was found and what is allowed.
    """
    copied, problems = plain(config)
    _refuse(problems)
    try:
        read = model.model_validate(copied)
    except ValidationError as error:
        _refuse(mistakes(error, copied))
        raise
    # It would warn that whole numbers are int, as they are to be.
    full = read.model_dump(exclude_none=True, warnings=False)
    # What a study may ask for depends on its data sets.
    _refuse(complete_datasets(full))
    _refuse(_complete_studies(full))
    return full


def _refuse(lines: Iterable[str]) -> None:
    if problems := list(lines):
        raise SonotuneError("\n  ".join(["The configuration cannot be used:", *problems]))


def _complete_studies(config: dict[str, Any]) -> Iterator[str]:
    for name, study in config["studies"].items():
        where = f"studies: {name}"
        study.setdefault("seed", config["seed"])
        for fraction in study["fractions"]:
            if float(text := fraction_text(fraction)) != fraction:
                yield f"{where}: fractions: {fraction} has too many digits: write {text}"
        yield from _check_datasets(where, study, config["datasets"])
        try:
            _complete_networks(study)
        except SonotuneError as error:
            yield f"{where}: {error}"
            continue
        yield from complete_resampling(where, study, config["datasets"])
        yield from _complete_strategies(where, study)
        if "race" in study:
            yield from _check_race(f"{where}: race", study)
        kept = study["keep_weights"]
        for strategy in [] if isinstance(kept, str) else kept:
            if strategy not in study["strategies"]:
                others = "write none, all, or a list of"
                said = no_such("strategy", strategy, study["strategies"], others)
                yield f"{where}: keep_weights: {said}"
    for name, study in config["studies"].items():
        if "protocols" in study:
            yield from _check_protocols(name, config["studies"])


def _complete_networks(study: dict[str, Any]) -> None:
    """The study's network, and those that single strategies have instead."""
    study["network"] = complete_network(study["network"])
    for name, strategy in study["strategies"].items():
        if "network" in strategy:
            try:
                strategy["network"] = complete_network(strategy["network"])
            except SonotuneError as error:
                raise SonotuneError(f"strategies: {name}: {error}") from None
    for network in networks_of(study):
        divisor, size = divisor_of(network), study["image_size"]
        if size % divisor:
            raise SonotuneError(
                f"image_size: must be a multiple of {divisor} for {network['name']}; found {size}, "
                f"nearest are {max(size // divisor, 1) * divisor} and "
                f"{(size // divisor + 1) * divisor}"
            )
        if size < smallest_of(network):
            raise SonotuneError(
                f"image_size: must be at least {smallest_of(network)} for the decoder "
                f"{network['decoder']}; found {size}"
            )


def _check_datasets(
    where: str, study: dict[str, Any], datasets: Mapping[str, Any]
) -> Iterator[str]:
    wanted = [("datasets", name) for name in study["datasets"]]
    if "pretraining" in study:
        wanted.append(("pretraining: dataset", study["pretraining"]["dataset"]))
    for key, name in wanted:
        if name not in datasets:
            yield f"{where}: {key}: {no_such('data set', name, datasets, 'the configuration has')}"


def _complete_strategies(where: str, study: dict[str, Any]) -> Iterator[str]:
    for name, strategy in study["strategies"].items():
        strategy.setdefault("label", name)
        network = strategy.get("network", study["network"])
        if strategy["init"] == "pretrained" and start_of(study, name) is None:
            what = (
                "its own network"
                if "network" in strategy
                else "the study has no key 'pretraining' and its network"
            )
            yield (
                f"{where}: strategies: {name}: starts from pre-trained weights, but {what} has "
                "none; add them or write init: random"
            )
        try:
            stages = stages_of(network)
            strategy["tune"] = list(resolve_stages(name, strategy["tune"], stages))
        except SonotuneError as error:
            yield f"{where}: {error}"


def _check_race(where: str, study: Mapping[str, Any]) -> Iterator[str]:
    if sum(strategy["tune"] not in ("none", []) for strategy in study["strategies"].values()) < 2:
        yield f"{where}: needs two strategies that tune something; add one, or remove the key"
    own_splits = study["resampling"].get("resample_test_set") == "by_strategy"
    for key, used in (
        ("protocols", "protocols" in study),
        ("pretraining: repeats", study.get("pretraining", {}).get("repeats", 1) > 1),
        ("resampling: resample_test_set: by_strategy", own_splits),
    ):
        if used:
            yield f"{where}: is not possible together with {key}; remove one of them"
    if study["race"]["budget"] == "grid" and study["resampling"]["seeds"] < 2:
        yield (
            f"{where}: budget: grid trains the best strategies more than once per fold; set "
            "resampling: seeds to the largest number of trainings in a fold, at least 2"
        )


def _check_protocols(name: str, studies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Mistakes of the key ``protocols`` in what it needs of its study and of others."""
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


def resolve_stages(name: str, tune: list[str] | str, stages: tuple[str, ...]) -> tuple[str, ...]:
    """The stages that a strategy tunes, in the network's order.

    Parameters
    ----------
    name
        Name of the strategy, for errors.
    tune
        A list of stages, ``all`` or ``none``.
    stages
        The network's stages.

    Raises
    ------
    SonotuneError
        If a stage is unknown or named twice, or the list is empty.
    """
    if isinstance(tune, str):
        return stages if tune == "all" else ()
    where = f"strategies: {name}: tune:"
    if not tune:
        raise SonotuneError(
            f"{where} the list is empty; name at least one stage, or write tune: none to evaluate "
            f"the network as it starts; stages: {', '.join(stages)}"
        )
    for stage in tune:
        if stage not in stages:
            raise SonotuneError(
                f"{where} the network has no stage {stage!r}; stages: {', '.join(stages)}"
            )
        if tune.count(stage) > 1:
            raise SonotuneError(f"{where} stage {stage!r} is named twice; name it once")
    return tuple(stage for stage in stages if stage in tune)
