"""The page of a study, put together from its tables and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Template

from bakeoff import __version__
from bakeoff.compare.labels import TESTS, default_band
from bakeoff.gallery import Gallery, make_gallery
from bakeoff.images import read_image
from bakeoff.paper_tables import (
    Sheet,
    classes_sheet,
    comparisons_sheet,
    data_sheet,
    results_sheet,
)
from bakeoff.summary import Page, Picture, Section
from bakeoff.tables import groups_of, strings
from bakeoff.verdict import summary_verdict

TITLES = {
    "accuracy": "Accuracy of every encoder",
    "differences": "Differences between encoders",
    "probabilities": "Probability of a better encoder",
    "classes": "Class by class",
    "confusion": "Confusions",
    "ages": "Age bias",
    "training": "Fine-tuning",
}
_FIRST = ("accuracy", "differences", "probabilities")


@dataclass(frozen=True)
class Study:
    """All that is known of a finished study.

    figures: SVG text by name (`accuracy`, `confusion/<protocol>/<method>`, ...);
    captions: the figures' caption templates by the first part of their names;
    settings: title, synthetic, encoders, control, metrics, confidence, equivalence,
    replicates, protocols, probes and seed, as configured.
    """

    name: str
    settings: Mapping[str, Any]
    manifest: pa.Table
    quarantine: pa.Table
    predictions: Sequence[pa.Table]
    metrics: pa.Table
    comparisons: pa.Table
    figures: Mapping[str, str]
    captions: Mapping[str, str]


def study_page(study: Study, images: Path, threads: int = 1) -> Page:
    """The page: verdict, figures, tables, gallery, methods and provenance.

    `images` is the folder that the manifest's paths start from.
    """
    settings = study.settings
    return Page(
        study.name,
        settings["title"],
        verdicts=summary_verdict(
            study.comparisons,
            metrics=settings["metrics"],
            control=settings["control"],
        ),
        facts=_facts(study),
        sections=_sections(study),
        gallery=_gallery(study, images, threads),
        methods=_methods(study),
        notes=_notes(study),
        provenance={"bakeoff": __version__, **settings},
    )


def _facts(study: Study) -> dict[str, str]:
    labels = set(strings(study.manifest, "label"))
    facts = {
        "images": f"{study.manifest.num_rows:,}",
        "classes": f"{len(labels)}",
        "encoders": f"{len(study.settings['encoders'])}",
    }
    if groups := groups_of(study.manifest):
        facts["groups"] = f"{len(set(groups.values())):,}"
    if study.quarantine.num_rows:
        facts["quarantined"] = f"{study.quarantine.num_rows:,}"
    return facts


def _sections(study: Study) -> list[Section]:
    encoders, level = study.settings["encoders"], study.settings["confidence"]
    detailed = [name for name in study.figures if name not in _FIRST]
    return [
        Section(
            "answer",
            "The comparison",
            pictures=[_picture(study, n) for n in _FIRST if n in study.figures],
            sheets=[
                results_sheet(study.metrics, encoders=encoders, confidence=level),
                comparisons_sheet(study.comparisons),
            ],
        ),
        Section(
            "classes",
            "Class by class",
            pictures=[_picture(study, name) for name in detailed],
            sheets=_class_sheets(study, encoders),
        ),
        Section("data", "The images", sheets=[data_sheet(study.manifest)]),
    ]


def _class_sheets(study: Study, encoders: Sequence[str]) -> list[Sheet]:
    sheets = [classes_sheet(study.metrics, encoders=encoders)]
    if len(encoders) > 1:
        sheets.append(comparisons_sheet(study.comparisons, per_class=True))
    return sheets


def _picture(study: Study, name: str) -> Picture:
    kind, *run = name.split("/")
    title = TITLES[kind]
    if run:
        protocol, method = run
        title += f": {method}, {protocol}"
    words = Template(study.captions[kind]).render(
        snakemake={"wildcards": {"study": study.name}}
    )
    caption = " ".join(words.split())
    return Picture(name.replace("/", "-"), title, caption, study.figures[name])


def _gallery(study: Study, images: Path, threads: int) -> Gallery | None:
    protocol = _preferred_protocol(study)
    probes = list(study.settings["probes"])
    method = probes[0] if probes else "zeroshot"
    return make_gallery(
        manifest=study.manifest,
        predictions=study.predictions,
        folder=images,
        read=read_image,
        method=method,
        protocol=protocol,
        encoders=study.settings["encoders"],
        threads=threads,
    )


def _preferred_protocol(study: Study) -> str:
    """A fixed test set where there is one: its images were never trained on."""
    protocols = study.settings["protocols"]
    fixed = [name for name, p in protocols.items() if p["kind"] == "split"]
    return (fixed or list(protocols))[0]


def _methods(study: Study) -> dict[str, str]:
    settings = study.settings
    used = dict.fromkeys(strings(study.comparisons, "test"))
    bands = {
        m: settings["equivalence"].get(m, default_band(m)) for m in settings["metrics"]
    }
    return {
        "Divisions": "; ".join(
            f"{name}: {_spoken(protocol)}"
            for name, protocol in settings["protocols"].items()
        ),
        "Probes": "; ".join(
            f"{name}: {_spoken(probe)}" for name, probe in settings["probes"].items()
        )
        or "none",
        "Unit of resampling": "group" if groups_of(study.manifest) else "image",
        "Tests": "; ".join(TESTS.get(test, test) for test in used),
        "Several comparisons": "Holm, over the pairs of a method, protocol and metric",
        "Equivalence": ", ".join(f"{m} within {b:g}" for m, b in bands.items()),
        "Confidence": f"{100 * settings['confidence']:g} %",
        "Resamples": f"{settings['replicates']:,}",
        "Seed": f"{settings['seed']}",
    }


def _spoken(section: Mapping[str, Any]) -> str:
    rest = ", ".join(f"{k} {v}" for k, v in section.items() if k != "kind")
    return f"{section['kind']} ({rest})" if rest else str(section["kind"])


def _notes(study: Study) -> list[str]:
    notes = []
    if study.settings["synthetic"]:
        notes.append(
            "The images of this study are synthetic: made by a generator, not photographed."
        )
    if tuned := study.settings["finetuned"]:
        notes.append(
            f"Fine-tuned on the training images of this study: {', '.join(tuned)}. They are "
            "scored on its fixed test images alone; in cross-validation they would be "
            "tested on images that they were trained on."
        )
    if groups_of(study.manifest) is None:
        notes.append(
            "No groups were given. If several images show one individual, slide or video, "
            "the intervals here are too narrow."
        )
    if study.quarantine.num_rows:
        notes.append(
            f"{study.quarantine.num_rows} files could not be used; see quarantine.parquet."
        )
    return notes
