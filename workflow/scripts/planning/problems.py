"""What is wrong with a configuration that its schema cannot see.

Names that are not defined, files that are not there, and choices that contradict each
other, each as one line that starts with the key's path.
"""

from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.finetune.recipe import Recipe

from planning.config import closest
from planning.encoder_id import parse
from planning.plan import Plan

Settings = dict[str, Any]


def problems(plan: Plan) -> list[str]:
    """One line for every problem of a plan's configuration; none if it is sound."""
    config = plan.config
    found = _unknown_encoders("encoders", config["encoders"], plan)
    if config["control"] and config["control"] not in config["encoders"]:
        found.append(f"control: {config['control']!r} is not among the encoders")
    for name, recipe in config["recipes"].items():
        found += _contradictions(name, recipe)
    for name in plan.studies:
        study, where = plan.study(name), f"studies.{name}"
        found += _unknown_encoders(f"{where}.encoders", study["encoders"] or [], plan)
        found += _cannot_finetune(where, name, plan)
        for key in ("probes", "protocols"):
            found += _unknown(f"{where}.{key}", study[key] or [], list(config[key]))
        if study["clip"] and study["labels"] == "nominal":
            found.append(f"{where}.clip: only labels that are numbers can be clipped")
        if study["prompts"] and not Path(plan.locate(study["prompts"])).is_file():
            found.append(f"{where}.prompts: no such file: {study['prompts']}")
        if not study["listing"]:
            found += _missing_data(where, study)
    if "zeroshot" in config["probes"]:
        found.append("probes.zeroshot: the name is taken by zero-shot classification")
    return found


def _contradictions(name: str, recipe: Settings) -> list[str]:
    """What a recipe says that the schema allows and that makes no sense together."""
    try:
        Recipe.of(recipe)
    except BakeoffError as error:
        return [f"recipes.{name}: {error.received}"]
    return []


def _unknown_encoders(where: str, encoders: list[str], plan: Plan) -> list[str]:
    found = []
    for encoder in encoders:
        parts = parse(encoder)
        if parts is None:
            found.append(_malformed(where, encoder))
            continue
        found += _unknown(where, [parts.base], [*plan.catalogue])
        if parts.recipe:
            found += _unknown(where, [parts.recipe], [*plan.config["recipes"]])
    return found


def _malformed(where: str, encoder: str) -> str:
    return (
        f"{where}: {encoder!r} is no encoder id: an entry of the catalogue, perhaps "
        "with +recipe, a seed as in +recipe~2, and last @ and what is a resolution in "
        "pixels, as in @336"
    )


def _cannot_finetune(where: str, study: str, plan: Plan) -> list[str]:
    """Why a study cannot have its fine-tuned encoders."""
    ids = {e: parse(e) for e in plan.encoders(study)}
    bases = {e: p.base for e, p in ids.items() if p and p.recipe}
    if not bases:
        return []
    found, named = [], ", ".join(bases)
    if not any(
        map(plan.fixed, set(plan.protocols(study)) & set(plan.config["protocols"]))
    ):
        found.append(
            f"{where}.protocols: {named} would be tested on training images; a "
            "fine-tuned encoder needs a protocol of kind split and images divided into "
            "train and test. Add one, or give the study encoders of its own"
        )
    if not plan.study(study)["prompts"]:
        found.append(f"{where}.prompts: missing; {named} would be trained with them")
    for encoder, base in bases.items():
        entry = plan.catalogue.get(base)
        if entry and (entry["loader"] != "openclip" or not entry["text"]):
            found.append(
                f"{where}: {encoder}: only openclip entries with a text tower can be "
                f"fine-tuned, and {base} is none"
            )
    return found


def _unknown(where: str, names: list[str], known: list[str]) -> list[str]:
    return [
        f"{where}: {name!r} is not defined{closest(name, known)} "
        f"(defined: {', '.join(known)})"
        for name in names
        if name not in known
    ]


def _missing_data(where: str, study: Settings) -> list[str]:
    found = []
    if not Path(study["images"]).is_dir():
        found.append(f"{where}.images: no such folder: {study['images']}")
    if study["labels_file"] and not Path(study["labels_file"]).is_file():
        found.append(f"{where}.labels_file: no such file: {study['labels_file']}")
    return found
