"""The page of a study, put together from its tables and figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Template

from bakeoff import __version__
from bakeoff.compare.labels import TESTS, default_band
from bakeoff.dependence import instability, lead_by_setting
from bakeoff.errors import listed
from bakeoff.figures.style import is_empty
from bakeoff.figures.units import unit_of
from bakeoff.gallery import Gallery, make_gallery
from bakeoff.images import read_image
from bakeoff.leader import about_leader, best_pair, no_better_than_baseline
from bakeoff.paper_tables import busy_machine, study_sheets
from bakeoff.sheets import Sheet
from bakeoff.stats.sensitivity import gain_by_repeats
from bakeoff.summary import Page, Picture, Section
from bakeoff.tables import groups_of, strings
from bakeoff.verdict import Answer, answers, without_advice

# A smaller gain than this is not worth more repeats: 10 repeats of 10 folds have 4 %.
_SHARPER = 0.05

# Each is how the caption begins, if the caption names what it shows.
TITLES = {
    "accuracy": "Accuracy of every encoder",
    "differences": "Differences between encoders",
    "probabilities": "Probability of a better encoder",
    "tradeoff": "Accuracy against cost",
    "resolution": "Accuracy against the resolution at which images were encoded",
    "classes": "Difference in recall class by class",
    "confusion": "Confusion matrices",
    "confusion_difference": "Difference of two confusion matrices",
    "ages": "Age-bias plot",
    "qualitative": "The same test images seen by two encoders",
    "disputes": "Images whose label every encoder disputes",
    "reliability": "Reliability",
    "settings": "The setting of the probe",
    "learning_curve": "Learning curve",
    "embedding_map": "Embeddings in two dimensions",
    "training": "Fine-tuning",
}

# Name, title, the kinds of figures and the tables of every section, in reading order.
_SECTIONS = (
    (
        "answer",
        "The comparison",
        ("accuracy", "differences", "probabilities", "settings"),
        ("results", "tests", "variance"),
    ),
    ("costs", "What it costs", ("tradeoff", "resolution"), ("costs",)),
    (
        "classes",
        "Class by class",
        ("classes", "confusion", "confusion_difference", "ages"),
        ("classes", "classes_tests"),
    ),
    ("mistakes", "Right and wrong", ("qualitative", "disputes"), ()),
    ("calibration", "How sure the encoders are", ("reliability",), ()),
    ("fine-tuning", "Fine-tuning", ("training",), ("seeds",)),
    ("training-images", "More training images", ("learning_curve",), ()),
    ("embeddings", "The embeddings", ("embedding_map",), ("retrieval",)),
    ("data", "The data", (), ("data",)),
)


@dataclass(frozen=True)
class Study:
    """All that is known of a finished study.

    figures: SVG text by name (`accuracy`, `confusion/<protocol>/<method>`, ...);
    captions: the figures' caption templates by the first part of their names;
    settings: title, synthetic, encoders, control, metrics, confidence, equivalence,
    replicates, protocols, probes and seed, as configured; main_run: the protocol and
    the method that the verdict and the gallery show first, and of which there must be
    predictions. retrieval: a table of metrics; baseline: metrics of the commonest class.
    """

    name: str
    settings: Mapping[str, Any]
    manifest: pa.Table
    quarantine: pa.Table
    predictions: Sequence[pa.Table]
    metrics: pa.Table
    baseline: pa.Table
    sensitivity: pa.Table
    comparisons: pa.Table
    costs: pa.Table
    retrieval: pa.Table
    variance: pa.Table
    seeds: pa.Table
    figures: Mapping[str, str]
    captions: Mapping[str, str]


def study_page(study: Study, images: Path, threads: int = 1) -> Page:
    """The page: verdict, figures, tables, gallery, methods and provenance.

    `images` is the folder that the manifest's paths start from.
    """
    settings = study.settings
    main, others = _answers(study)
    return Page(
        study.name,
        settings["title"],
        answers=main,
        others=others,
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


def _answers(study: Study) -> tuple[list[Answer], list[Answer]]:
    """The answer of the main run, and those of all other methods and divisions."""
    protocol, method = study.settings["main_run"]
    metrics, control = (study.settings[k] for k in ("metrics", "control"))
    found = answers(study.comparisons, metrics, control=control)
    found = [_with_doubts(answer, study) for answer in found]
    first = [answer for answer in found if answer.where == f"{method} on {protocol}"]
    told = [_with_facts(answer, study) for answer in first]
    return told or found, [a for a in found if first and a not in first]


def _with_facts(answer: Answer, study: Study) -> Answer:
    """The answer of the main run with what a reader asks next of its leader."""
    protocol, method = study.settings["main_run"]
    facts = about_leader(
        answer.leader,
        method=method,
        protocol=protocol,
        metrics=study.metrics,
        costs=study.costs,
    )
    best = best_pair(
        answer.leader,
        method=method,
        protocol=protocol,
        metric=study.settings["metrics"][0],
        metrics=study.metrics,
        confidence=study.settings["confidence"],
    )
    return replace(answer, checks=[*best, *answer.checks, *facts])


def _with_doubts(answer: Answer, study: Study) -> Answer:
    """The answer with what its headline hangs on: the commonest class, and a setting."""
    if not answer.leader:
        return answer
    settings, (protocol, method) = study.settings, answer.run
    guess = no_better_than_baseline(
        answer.leader,
        method=method,
        protocol=protocol,
        metric=settings["metrics"][0],
        metrics=study.metrics,
        baseline=study.baseline,
        confidence=settings["confidence"],
    )
    lead = lead_by_setting(study.sensitivity, answer.run, answer.leader)
    doubts = instability(
        study.sensitivity,
        answer.run,
        nested="nested" in settings["probes"].get(method, {}).values(),
        confidence=settings["confidence"],
    )
    told = without_advice(answer.headline) if guess else answer.headline
    headline = " ".join(part for part in (guess, told, lead) if part)
    return replace(answer, headline=headline, checks=[*doubts, *answer.checks])


def _sections(study: Study) -> list[Section]:
    """Sections with what the study has of each; figures without content are left out."""
    sheets = study_sheets(
        manifest=study.manifest,
        metrics=study.metrics,
        baseline=study.baseline,
        comparisons=study.comparisons,
        costs=study.costs,
        retrieval=study.retrieval,
        variance=study.variance,
        seeds=study.seeds,
        encoders=study.settings["encoders"],
        confidence=study.settings["confidence"],
        main_run=study.settings["main_run"],
    )
    return [
        Section(
            name,
            title,
            pictures=[picture for kind in kinds for picture in _pictures(study, kind)],
            sheets=_with_rows(sheets[table] for table in tables),
        )
        for name, title, kinds, tables in _SECTIONS
    ]


def _with_rows(sheets: Iterable[Sheet]) -> list[Sheet]:
    return [sheet for sheet in sheets if sheet.rows]


def _pictures(study: Study, kind: str) -> list[Picture]:
    """The figure of the main run, or else the first of its kind, and in it all others."""
    names = [
        name
        for name, svg in study.figures.items()
        if name.split("/")[0] == kind and not is_empty(svg)
    ]
    if not names:
        return []
    main = "/".join([kind, *study.settings["main_run"]])
    first = main if main in names else names[0]
    others = [name for name in names if name != first]
    told = f"The same for {listed(map(_subject, others), 3)}"
    others_drawn = [_picture(study, name) for name in others]
    return [replace(_picture(study, first), others=others_drawn, told=told)]


def _picture(study: Study, name: str) -> Picture:
    kind = name.split("/")[0]
    words = Template(study.captions[kind]).render(snakemake={"wildcards": {}})
    caption = without(TITLES[kind], " ".join(words.split()))
    title = ": ".join([TITLES[kind], *filter(None, [_subject(name)])])
    return Picture(name.replace("/", "-"), title, caption, study.figures[name])


def _subject(name: str) -> str:
    """What a figure is of, from its name: `ridge on cv10`, an encoder, or nothing."""
    return " on ".join(reversed(name.split("/")[1:]))


def without(title: str, caption: str) -> str:
    """The caption without the title that stands before it on the page."""
    rest = caption.removeprefix(title)
    if rest == caption:
        return caption
    rest = rest.lstrip(" ,:.")
    return rest[:1].upper() + rest[1:]


def _gallery(study: Study, images: Path, threads: int) -> Gallery | None:
    protocol, method = study.settings["main_run"]
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
        "Equivalence": ", ".join(_band(m, b) for m, b in bands.items()),
        "Confidence": f"{100 * settings['confidence']:g} %",
        "Resamples": f"{settings['replicates']:,}",
        "Seed": f"{settings['seed']}",
    }


def _repeats(protocols: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Whether more repeats of folds would still sharpen the answer."""
    notes = []
    for name, p in protocols.items():
        if p["kind"] == "kfold":
            gain = gain_by_repeats(p["folds"], p["repeats"])
            more = f"{name}: more repeats narrow its intervals by {100 * gain:.0f} % at most"
            spent = "; they no longer sharpen the answer" if gain < _SHARPER else ""
            notes.append(f"{more}{spent}.")
    return notes


def _band(metric: str, half: float) -> str:
    unit = unit_of(metric)
    size = f"{half * unit.scale:g}"
    name = unit.difference.removesuffix("s") if size == "1" else unit.difference
    return f"{unit.label} within {size} {name}".rstrip()


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
    if silent := study.settings["without_texts"]:
        notes.append(
            f"Without zero-shot classification, as they have no text tower: "
            f"{', '.join(silent)}."
        )
    notes += _repeats(study.settings["protocols"])
    if groups_of(study.manifest) is None:
        notes.append(
            "No groups were given. If several images show one individual, slide or video, "
            "the intervals here are too narrow."
        )
    notes += busy_machine(study.costs)
    if study.quarantine.num_rows:
        notes.append(
            f"{study.quarantine.num_rows} files could not be used; see quarantine.parquet."
        )
    return notes
