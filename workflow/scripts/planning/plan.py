"""Which tables and figures a configuration asks for, and what each rule needs of it.

A `Plan` is made once when the Snakefile is parsed. It holds the completed configuration
and the catalogue of encoders, and refuses names that neither knows.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from bakeoff.errors import BakeoffError

from planning.config import closest, complete, load_schema

Settings = dict[str, Any]


class Wildcards(Protocol):
    """What Snakemake hands to a function: one attribute per wildcard."""

    study: str
    encoder: str
    protocol: str
    probe: str


@dataclass(frozen=True)
class Plan:
    """The completed configuration and the catalogue that it refers to."""

    config: Settings
    catalogue: dict[str, Settings]
    root: Path

    @property
    def studies(self) -> list[str]:
        """Ids of the studies, in the order of the configuration."""
        return list(self.config["studies"])

    def study(self, study: str) -> Settings:
        """The completed section of one study."""
        return self.config["studies"][study]

    def encoders(self, study: str) -> list[str]:
        """Ids of the encoders that a study compares."""
        return self.study(study)["encoders"] or self.config["encoders"]

    def probes(self, study: str) -> list[str]:
        """Names of the probes that a study uses."""
        named = self.study(study)["probes"]
        return list(self.config["probes"]) if named is None else named

    def protocols(self, study: str) -> list[str]:
        """Names of the protocols that a study uses."""
        named = self.study(study)["protocols"]
        if named is not None:
            return named
        kinds = self.config["protocols"]
        return [name for name, protocol in kinds.items() if protocol["kind"] == "kfold"]

    def metrics(self, study: str) -> list[str]:
        """Names of the metrics that a study compares; the first decides."""
        section = self.study(study)
        if section["metrics"]:
            return section["metrics"]
        if section["labels"] == "ordinal":
            return ["accuracy", "within_1", "rmse"]
        return ["accuracy", "macro_f1"]

    def entry(self, encoder: str) -> Settings:
        """The catalogue's entry of an encoder id, `@resolution` applied."""
        name, _, resolution = encoder.partition("@")
        return {
            "text": True,
            **self.catalogue[name],
            "at": int(resolution) if resolution else None,
        }

    def runs(self, study: str, encoder: str) -> list[tuple[str, str]]:
        """(protocol, method) of every table of predictions of an encoder."""
        methods = list(self.probes(study))
        if self.study(study)["prompts"] and self.entry(encoder)["text"]:
            methods.append("zeroshot")
        return [(p, m) for p in self.protocols(study) for m in methods]

    def figures(self, study: str) -> list[str]:
        """Names of a study's figures, as they stand in its folder of figures."""
        runs = sorted(
            {run for e in self.encoders(study) for run in self.runs(study, e)}
        )
        several = len(self.encoders(study)) > 1
        names = ["accuracy"]
        if several:
            names += ["differences", "probabilities"]
        ordinal = self.study(study)["labels"] == "ordinal"
        per_run = ["confusion"] + ["classes"] * several + ["ages"] * ordinal
        return names + [f"{name}/{p}/{m}" for name in per_run for p, m in runs]

    def weights(self, encoder: str) -> str:
        """The folder of an encoder's weights: shipped with the code, or fetched."""
        name = encoder.partition("@")[0]
        entry = self.catalogue[name]
        return self.locate(entry.get("folder") or f"resources/encoders/{name}")

    def locate(self, path: str) -> str:
        """`path` from the working directory if it is there, else from the code."""
        inside = self.root / path
        return path if Path(path).exists() or not inside.exists() else str(inside)

    def settings(self, section: str, wildcards: Wildcards) -> str:
        """What a rule uses of the configuration, as one canonical line of JSON.

        Equal settings give equal text, whatever the order of the keys; a value that the
        rule does not use cannot change it.
        """
        return json.dumps(SECTIONS[section](self, wildcards), sort_keys=True)


def make_plan(config: Mapping[str, Any], root: Path) -> Plan:
    """The plan of a configuration; `root` is the folder of the code.

    Raises BakeoffError with one line for every problem.
    """
    completed = complete(config, load_schema(root / "config/schema.yaml"))
    draft = Plan(completed, {}, root)
    path = Path(draft.locate(completed["catalogue"]))
    if not path.is_file():
        raise BakeoffError(
            "configuration",
            f"catalogue: {path}, which is not there",
            "a YAML file of encoders",
            "Leave the key out to use the one that comes with bakeoff.",
        )
    catalogue = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan = Plan(completed, catalogue, root)
    if problems := _problems(plan):
        raise BakeoffError(
            "configuration",
            f"{len(problems)} problem{'s' * (len(problems) > 1)}",
            "names that are defined",
            "\n" + "\n".join(f"  {problem}" for problem in problems),
        )
    return plan


def _problems(plan: Plan) -> list[str]:
    config = plan.config
    found = _unknown_encoders("encoders", config["encoders"], plan)
    if config["control"] and config["control"] not in config["encoders"]:
        found.append(f"control: {config['control']!r} is not among the encoders")
    for name in plan.studies:
        study, where = plan.study(name), f"studies.{name}"
        found += _unknown_encoders(f"{where}.encoders", study["encoders"] or [], plan)
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


def _unknown_encoders(where: str, encoders: list[str], plan: Plan) -> list[str]:
    found = _unknown(where, [e.partition("@")[0] for e in encoders], [*plan.catalogue])
    for encoder in encoders:
        name, at, resolution = encoder.partition("@")
        if at and not resolution.isdigit():
            found.append(
                f"{where}: {encoder!r}: what follows @ is a resolution in pixels, "
                f"as in {name}@336"
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


def _pick(section: Mapping[str, Any], *keys: str) -> Settings:
    return {key: section[key] for key in keys}


def _demo_activities(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.config["demo"], "seed", "scenes_per_drawing", "size")


def _demo_otoliths(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.config["demo"], "seed", "otoliths")


def _manifest(plan: Plan, wildcards: Wildcards) -> Settings:
    study = plan.study(wildcards.study)
    keys = ("images", "labels_file", "labels", "clip")
    return _pick(study, *keys, "group_pattern", "on_unreadable", "pixel_limit")


def _folds(plan: Plan, wildcards: Wildcards) -> Settings:
    protocol = plan.config["protocols"][wildcards.protocol]
    return {"protocol": protocol, "seed": plan.config["seed"]}


def _weights(plan: Plan, wildcards: Wildcards) -> Settings:
    return plan.entry(wildcards.encoder)


def _embed_images(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "images": plan.study(wildcards.study)["images"],
        "resolution": plan.entry(wildcards.encoder)["at"],
        "precision": plan.config["extraction"]["precision"],
    }


def _probe(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "probe": plan.config["probes"][wildcards.probe],
        "labels": plan.study(wildcards.study)["labels"],
        "seed": plan.config["seed"],
    }


def _zeroshot(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.study(wildcards.study), "labels")


def _compare(plan: Plan, wildcards: Wildcards) -> Settings:
    study = wildcards.study
    return {
        **_pick(plan.config["statistics"], "confidence", "replicates", "equivalence"),
        "metrics": plan.metrics(study),
        "encoders": plan.encoders(study),
        "seed": plan.config["seed"],
    }


def _figure_accuracy(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "encoders": plan.encoders(wildcards.study),
        "metrics": plan.metrics(wildcards.study)[:1],
        "confidence": plan.config["statistics"]["confidence"],
    }


def _figure_differences(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "metrics": plan.metrics(wildcards.study),
        "equivalence": plan.config["statistics"]["equivalence"],
    }


def _figure_probabilities(plan: Plan, wildcards: Wildcards) -> Settings:
    return {"metrics": plan.metrics(wildcards.study)[:1]}


def _figure_of_encoders(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "encoders": plan.encoders(wildcards.study),
        "confidence": plan.config["statistics"]["confidence"],
    }


def _summary(plan: Plan, wildcards: Wildcards) -> Settings:
    study = wildcards.study
    return {
        **_compare(plan, wildcards),
        "title": plan.study(study)["title"] or study,
        **_pick(plan.study(study), "synthetic", "images"),
        "control": plan.config["control"],
        "protocols": {
            name: plan.config["protocols"][name] for name in plan.protocols(study)
        },
        "probes": {name: plan.config["probes"][name] for name in plan.probes(study)},
    }


def _provenance(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.study(wildcards.study), "images")


SECTIONS: dict[str, Callable[[Plan, Wildcards], Settings]] = {
    "demo_activities": _demo_activities,
    "demo_otoliths": _demo_otoliths,
    "manifest": _manifest,
    "folds": _folds,
    "weights": _weights,
    "embed_images": _embed_images,
    "probe": _probe,
    "zeroshot": _zeroshot,
    "compare": _compare,
    "figure_accuracy": _figure_accuracy,
    "figure_differences": _figure_differences,
    "figure_probabilities": _figure_probabilities,
    "figure_classes": _figure_of_encoders,
    "figure_confusion": _figure_of_encoders,
    "figure_ages": _figure_of_encoders,
    "summary": _summary,
    "provenance": _provenance,
}
