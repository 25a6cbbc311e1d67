"""What each rule uses of a configuration, and nothing else of it.

A rule runs again when its settings change, so whatever a rule does not use must not
stand among them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from planning.plan import Plan
from planning.spans import Question, spans

Settings = dict[str, Any]


class Wildcards(Protocol):
    """What Snakemake hands to a function: one attribute per wildcard."""

    study: str
    encoder: str
    protocol: str
    probe: str
    method: str
    metric: str
    kind: str


def settings(plan: Plan, section: str, wildcards: Wildcards) -> str:
    """What a rule uses of the configuration, as one canonical line of JSON.

    Equal settings give equal text, whatever the order of the keys; a value that the
    rule does not use cannot change it.
    """
    return json.dumps(SECTIONS[section](plan, wildcards), sort_keys=True)


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


def _derive(plan: Plan, wildcards: Wildcards) -> Settings:
    parts = plan.made_of(wildcards.encoder)
    return {
        **_pick(plan.entry(wildcards.encoder), "derived", "tiles", "alpha"),
        "parts": [
            {"folder": plan.base_weights(part), "resolution": plan.entry(part)["at"]}
            for part in parts
        ],
    }


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


def _refits(plan: Plan, wildcards: Wildcards) -> Settings:
    probe = _pick(_probe(plan, wildcards), "probe", "labels")
    return {**probe, "metrics": plan.metrics(wildcards.study)}


def _zeroshot(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.study(wildcards.study), "labels")


def _prompt_lab(plan: Plan, wildcards: Wildcards) -> Settings:
    confidence = plan.config["statistics"]["confidence"]
    return {**_zeroshot(plan, wildcards), "confidence": confidence}


def _finetune(plan: Plan, wildcards: Wildcards) -> Settings:
    parts = plan.parts(wildcards.encoder)
    return {
        "images": plan.study(wildcards.study)["images"],
        "recipe": plan.config["recipes"][parts.recipe],
        "seed": plan.config["seed"] if parts.seed is None else parts.seed,
    }


def _compare(plan: Plan, wildcards: Wildcards) -> Settings:
    study = wildcards.study
    return {
        **_pick(plan.config["statistics"], "confidence", "replicates", "equivalence"),
        "metrics": plan.metrics(study),
        "encoders": plan.encoders(study),
        "finetuned": plan.finetuned(study),
        "seed": plan.config["seed"],
    }


def _ranks(plan: Plan, wildcards: Wildcards) -> Settings:
    question = Question(wildcards.protocol, wildcards.method, wildcards.metric)
    span = spans(plan)[question]
    return {
        **_pick(plan.config["statistics"], "confidence", "equivalence"),
        **question._asdict(),
        **span._asdict(),
    }


def _variance(plan: Plan, wildcards: Wildcards) -> Settings:
    study = wildcards.study
    return {
        "metrics": plan.metrics(study),
        "labels": plan.study(study)["labels"],
        # The control's distance from all others would drown what lies between them.
        "encoders": [e for e in plan.encoders(study) if e != plan.config["control"]],
        "families": {e: plan.family(e) for e in plan.finetuned(study)},
    }


def _figure_accuracy(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "encoders": plan.encoders(wildcards.study),
        "metrics": plan.metrics(wildcards.study)[:1],
        "confidence": plan.config["statistics"]["confidence"],
    }


def _figure_differences(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        **_pick(plan.config, "control"),
        "metrics": plan.metrics(wildcards.study),
        "equivalence": plan.config["statistics"]["equivalence"],
    }


def _figure_probabilities(plan: Plan, wildcards: Wildcards) -> Settings:
    metrics = plan.metrics(wildcards.study)[:1]
    return {"metrics": metrics, **_pick(plan.config, "control")}


def _figure_of_encoders(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "encoders": plan.encoders(wildcards.study),
        "confidence": plan.config["statistics"]["confidence"],
    }


def _figure_training(plan: Plan, wildcards: Wildcards) -> Settings:
    return {"encoders": plan.trainings(wildcards.study)}


def _figure_of_a_pair(plan: Plan, wildcards: Wildcards) -> Settings:
    return {"encoders": plan.encoders(wildcards.study)[:2]}


def _figure_qualitative(plan: Plan, wildcards: Wildcards) -> Settings:
    images = _pick(plan.study(wildcards.study), "images")
    return {**_figure_of_a_pair(plan, wildcards), **images}


def _figure_disputes(plan: Plan, wildcards: Wildcards) -> Settings:
    # The control knows nothing: it would dispute, or defend, any label.
    encoders = plan.encoders(wildcards.study)
    informed = [e for e in encoders if e != plan.config["control"]]
    images = _pick(plan.study(wildcards.study), "images")
    return {"encoders": informed if len(informed) > 1 else encoders, **images}


def _figure_tradeoff(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "encoders": plan.encoders(wildcards.study),
        "metrics": plan.metrics(wildcards.study)[:1],
    }


def _figure_learning_curve(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        **_figure_tradeoff(plan, wildcards),
        "protocols": plan.protocols_of(wildcards.study, wildcards.kind),
    }


def _figure_embedding_map(plan: Plan, wildcards: Wildcards) -> Settings:
    return _pick(plan.config, "seed")


def _costs(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "images": plan.study(wildcards.study)["images"],
        "precision": plan.config["extraction"]["precision"],
        "encoders": {
            encoder: {
                "folder": plan.weights(wildcards.study, encoder),
                "resolution": plan.entry(encoder)["at"],
            }
            for encoder in plan.encoders(wildcards.study)
        },
    }


def _index(plan: Plan, wildcards: Wildcards) -> Settings:
    return {
        "images": plan.study(wildcards.study)["images"],
        "weights": plan.weights(wildcards.study, wildcards.encoder),
        "resolution": plan.entry(wildcards.encoder)["at"],
        "seed": plan.config["seed"],
    }


def _tables(plan: Plan, wildcards: Wildcards) -> Settings:
    main_run = plan.main_run(wildcards.study)
    return {**_figure_of_encoders(plan, wildcards), "main_run": main_run}


def _summary(plan: Plan, wildcards: Wildcards) -> Settings:
    study = wildcards.study
    return {
        **_compare(plan, wildcards),
        "title": plan.study(study)["title"] or study,
        **_pick(plan.study(study), "synthetic", "images"),
        "control": plan.config["control"],
        "without_texts": plan.without_texts(study),
        "main_run": plan.main_run(study),
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
    "derive": _derive,
    "embed_images": _embed_images,
    "probe": _probe,
    "refits": _refits,
    "zeroshot": _zeroshot,
    "prompt_lab": _prompt_lab,
    "finetune": _finetune,
    "compare": _compare,
    "ranks": _ranks,
    "variance": _variance,
    "figure_accuracy": _figure_accuracy,
    "figure_differences": _figure_differences,
    "figure_probabilities": _figure_probabilities,
    "figure_classes": _figure_of_encoders,
    "figure_confusion": _figure_of_encoders,
    "figure_ages": _figure_of_encoders,
    "figure_reliability": _figure_of_encoders,
    "figure_confusion_difference": _figure_of_a_pair,
    "figure_qualitative": _figure_qualitative,
    "figure_disputes": _figure_disputes,
    "figure_tradeoff": _figure_tradeoff,
    "figure_resolution": _figure_tradeoff,
    "figure_learning_curve": _figure_learning_curve,
    "figure_embedding_map": _figure_embedding_map,
    "costs": _costs,
    "index": _index,
    "tables": _tables,
    "figure_training": _figure_training,
    "summary": _summary,
    "provenance": _provenance,
}
