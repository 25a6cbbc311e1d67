"""Which tables and figures a configuration asks for.

A `Plan` is made once when the Snakefile is parsed. It holds the completed configuration
and the catalogue of encoders.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planning.encoder_id import EncoderId, parse

Settings = dict[str, Any]

# Kinds of protocols that vary the number of training images.
GROWING = ("curve", "fewshot")
# Kinds of probes whose scores are probabilities; zero-shot scores are logits.
PROBABILISTIC = ("logistic", "corn", "knn")


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

    def parts(self, encoder: str) -> EncoderId:
        """Base, recipe, seed and resolution of a well-formed encoder id."""
        parts = parse(encoder)
        assert parts is not None, encoder
        return parts

    def entry(self, encoder: str) -> Settings:
        """The catalogue's entry of an encoder id's base, `@resolution` applied."""
        parts = self.parts(encoder)
        return {**self.catalogue[parts.base], "at": parts.resolution}

    def made_of(self, encoder: str) -> list[str]:
        """Ids of what a derived encoder is made of; none for any other.

        A resolution of the whole is that of all parts without one.
        """
        entry = self.entry(encoder)
        at = f"@{entry['at']}" if entry["at"] else ""
        return [part if "@" in part else part + at for part in entry.get("of", [])]

    def loaders(self, encoder: str) -> set[str]:
        """What loads an encoder and all that it is made of."""
        parts = [self.loaders(part) for part in self.made_of(encoder)]
        return {self.entry(encoder)["loader"]}.union(*parts)

    def composed_of(self, study: str, encoder: str) -> list[str]:
        """Those parts whose vectors the study asks for too, and is composed from."""
        composed = self.entry(encoder).get("derived") in ("concatenate", "average")
        asked = self.encoders(study)
        return [part for part in self.made_of(encoder) if composed and part in asked]

    def finetuned(self, study: str) -> list[str]:
        """Ids of a study's fine-tuned encoders."""
        return [e for e in self.encoders(study) if self.parts(e).recipe]

    def trainings(self, study: str) -> list[str]:
        """Ids of the encoders that are trained: the fine-tuned ones, resolutions aside."""
        return list(dict.fromkeys(e.partition("@")[0] for e in self.finetuned(study)))

    def family(self, encoder: str) -> str:
        """A fine-tuned encoder's id without its seed."""
        base, recipe, _, resolution = self.parts(encoder)
        return f"{base}+{recipe}" + (f"@{resolution}" if resolution else "")

    def cores(self, encoder: str) -> int:
        """How many cores a model of this size can use; tiny ones run side by side."""
        millions = self.entry(encoder).get("parameters", 100)
        return 1 if millions < 5 else 8

    def runs(self, study: str, encoder: str) -> list[tuple[str, str]]:
        """(protocol, method) of every table of predictions of an encoder.

        A fine-tuned encoder has seen the study's training images, so it is scored on
        the fixed test images alone.
        """
        protocols, methods = self.protocols(study), list(self.probes(study))
        if self.reads(study, encoder):
            methods.append("zeroshot")
        if self.parts(encoder).recipe:
            protocols = [p for p in protocols if self.fixed(p)]
        return [(p, m) for p in protocols for m in methods]

    def refitted(self, study: str, encoder: str) -> list[tuple[str, str]]:
        """(protocol, method) whose refits without each image have an exact closed form.

        Ridge regression on numbers with a given penalty, over several runs that share
        training images.
        """
        if self.study(study)["labels"] != "ordinal":
            return []
        several = self.protocols_of(study, "kfold", "holdout")
        probes = self.config["probes"]
        return [
            (protocol, method)
            for protocol, method in self.runs(study, encoder)
            if protocol in several and method in probes and _closed(probes[method])
        ]

    def fixed(self, protocol: str) -> bool:
        """Whether a protocol tests the images' own test images and trains on no other's."""
        return self.config["protocols"][protocol]["kind"] == "split"

    def reads(self, study: str, encoder: str) -> bool:
        """Whether the study has prompts and the encoder a text tower."""
        return bool(self.study(study)["prompts"] and self.entry(encoder)["text"])

    def without_texts(self, study: str) -> list[str]:
        """Encoders that zero-shot classification leaves out, though there are prompts."""
        asked = self.encoders(study) if self.study(study)["prompts"] else []
        return [encoder for encoder in asked if not self.reads(study, encoder)]

    def main_run(self, study: str) -> tuple[str, str]:
        """The (protocol, method) that is looked at image by image.

        A fixed test set where there is one, since nothing was trained on its images;
        the first probe, or zero-shot classification where there is none.
        """
        protocols = self.protocols_of(study, "split") or self.protocols(study)
        return protocols[0], (self.probes(study) or ["zeroshot"])[0]

    def protocols_of(self, study: str, *kinds: str) -> list[str]:
        """Names of the study's protocols of these kinds."""
        known = self.config["protocols"]
        return [p for p in self.protocols(study) if known[p]["kind"] in kinds]

    def figures(self, study: str) -> list[str]:
        """Names of a study's figures, as they stand in its folder of figures."""
        encoders = self.encoders(study)
        runs = sorted({run for e in encoders for run in self.runs(study, e)})
        growing = self.protocols_of(study, *GROWING)
        several = len(encoders) > 1
        ordinal = self.study(study)["labels"] == "ordinal"
        per_run = ["differences", "classes"] * several + ["confusion"]
        per_run += ["ages"] * ordinal
        return [
            "accuracy",
            *[f"{f}/{p}/{m}" for f in per_run for p, m in runs if p not in growing],
            *self._figures_of_the_main_run(study, runs),
            *self._learning_curves(study),
            *["training"] * bool(self.trainings(study)),
            *[f"embedding_map/{encoder}" for encoder in encoders],
        ]

    def _figures_of_the_main_run(
        self, study: str, runs: list[tuple[str, str]]
    ) -> list[str]:
        """Pictures, pairs and calibration: of one run, as all runs would be too many."""
        protocol, method = self.main_run(study)
        names = []
        if len(self.encoders(study)) > 1 and (protocol, method) in runs:
            pairs = ["probabilities", "tradeoff", "confusion_difference"]
            pairs += ["qualitative", "disputes"]
            pairs += ["resolution"] * self._at_several_resolutions(study)
            names = [f"{name}/{protocol}/{method}" for name in pairs]
        return names + [
            f"reliability/{protocol}/{m}"
            for p, m in runs
            if p == protocol and self._has_probabilities(m)
        ]

    def _at_several_resolutions(self, study: str) -> bool:
        """Whether a model is compared with itself at another resolution."""
        encoders = self.encoders(study)
        return len({e.partition("@")[0] for e in encoders}) < len(encoders)

    def _has_probabilities(self, method: str) -> bool:
        probe = self.config["probes"].get(method)
        return probe is None or probe["kind"] in PROBABILISTIC

    def _learning_curves(self, study: str) -> list[str]:
        return [
            f"learning_curve/{kind}/{probe}"
            for kind in GROWING
            if self.protocols_of(study, kind)
            for probe in self.probes(study)
        ]

    def weights(self, study: str, encoder: str) -> str:
        """The folder of an encoder's weights: shipped, fetched or made by fine-tuning."""
        if self.parts(encoder).recipe:
            return f"results/{study}/finetuned/{encoder.partition('@')[0]}"
        return self.base_weights(encoder)

    def base_weights(self, encoder: str) -> str:
        """The folder of the weights that an encoder is, or that it starts from."""
        base = self.parts(encoder).base
        entry = self.catalogue[base]
        if "derived" in entry:
            return f"resources/derived/{base}"
        if folder := entry.get("folder"):
            return self.locate(folder)
        return f"resources/weights/{base}"

    def all_weights(self, study: str) -> list[str]:
        """Folders of all weights behind a study's encoders, each once."""
        folders = [self.weights(study, encoder) for encoder in self.encoders(study)]
        ahead = list(self.encoders(study))
        while ahead:
            parts = self.made_of(ahead.pop())
            folders += map(self.base_weights, parts)
            ahead += parts
        return list(dict.fromkeys(folders))

    def locate(self, path: str) -> str:
        """`path` from the working directory if it is there, else from the code."""
        inside = self.root / path
        return path if Path(path).exists() or not inside.exists() else str(inside)


def _closed(probe: Settings) -> bool:
    return (
        probe["kind"] == "ridge"
        and probe.get("alpha", 6.0) != "nested"
        and probe.get("decode", "round") == "round"
        and not probe.get("standardise", False)
    )
