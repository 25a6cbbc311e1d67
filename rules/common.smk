# Helpers of the rules. No rule stands here.
from snakemake.exceptions import WorkflowError

from bakeoff.errors import BakeoffError
from planning.code import code_version as _code_version
from planning.fingerprint import fingerprint as _fingerprint
from planning.libraries import libraries as _libraries
from planning.library import use_library
from planning.make import make_plan
from planning.parts import notes as _notes
from planning.reruns import let_records_decide
from planning.settings import settings as _settings
from planning.spans import Question, spans

CODE = Path(workflow.basedir)
# What may be deleted at any time: it saves planning from reading files again.
CACHE = Path(".snakemake/bakeoff")
TABLES = """results tests classes classes_tests costs retrieval variance seeds
    data""".split()

try:
    PLAN = make_plan(config, CODE)
    SPANS = spans(PLAN)
except BakeoffError as error:
    raise WorkflowError(str(error)) from None

use_library(CODE / "workflow/scripts")
let_records_decide(workflow, CODE, CACHE / "contents.json")


def settings(section):
    """A function of wildcards: what a rule uses of the configuration, as JSON."""

    def text(wildcards):
        return _settings(PLAN, section, wildcards)

    return text


def code_version(script):
    """Content hashes of a script and of all local code that it imports."""
    return _code_version(script, CODE / "workflow/scripts", CACHE / "imports.json")


def libraries(script, loaders=None):
    """Names and versions of the libraries that a script's numbers depend on."""
    scripts, cache = CODE / "workflow/scripts", CACHE / "imports.json"
    return _libraries(script, scripts, cache, loaders)


def encoder_libraries(script):
    """A function of wildcards: the libraries of a script about one encoder."""

    def names(wildcards):
        return libraries(script, PLAN.loaders(wildcards.encoder))

    return names


def image_files(wildcards):
    """The content of a study's folder of images, as one string."""
    study = PLAN.study(wildcards.study)
    listing = study["listing"]
    return _fingerprint(
        Path(study["images"]),
        Path(listing) if listing else None,
        CACHE / "hashes.sqlite",
        hidden=bool(study["labels_file"]),
    )


def label_files(wildcards):
    """What a manifest is made from, besides the images themselves."""
    study = PLAN.study(wildcards.study)
    return sorted({study[key] for key in ("listing", "labels_file") if study[key]})


def weights(wildcards):
    """The file that names and hashes an encoder's weights."""
    return f"{PLAN.weights(wildcards.study, wildcards.encoder)}/encoder.json"


def base_weights(wildcards):
    """The same of the encoder that fine-tuning starts from."""
    return f"{PLAN.base_weights(wildcards.encoder)}/encoder.json"


def parts_weights(wildcards):
    """The same of what a derived encoder is made of."""
    parts = PLAN.made_of(wildcards.encoder)
    return [f"{PLAN.base_weights(part)}/encoder.json" for part in parts]


def of_composing(pattern):
    """A function of wildcards: `pattern` for what an encoder is composed from.

    The study asks for these too; made first, they are not encoded twice.
    """

    def paths(wildcards):
        found = PLAN.composed_of(wildcards.study, wildcards.encoder)
        return [pattern.format(**{**wildcards, "encoder": part}) for part in found]

    return paths


def cores(wildcards):
    """The cores that an encoder can use."""
    return PLAN.cores(wildcards.encoder)


def prompt_bank(wildcards):
    """The prompt bank of a study."""
    return PLAN.locate(PLAN.study(wildcards.study)["prompts"])


def parts(wildcards):
    """What says of every part of every study's images that its vectors are stored."""
    try:
        return _notes(PLAN)
    except BakeoffError as error:
        raise WorkflowError(str(error)) from None


def predictions(wildcards):
    """All tables of predictions of one study, or of one encoder in it."""
    encoder = wildcards.get("encoder")
    return [
        f"results/{wildcards.study}/predictions/{protocol}/{method}/{name}.parquet"
        for name in ([encoder] if encoder else PLAN.encoders(wildcards.study))
        for protocol, method in PLAN.runs(wildcards.study, name)
    ]


def refits(wildcards):
    """The tables of refits of a study, of the probes that have some."""
    study = wildcards.study
    return [
        f"results/{study}/refits/{protocol}/{method}/{encoder}.parquet"
        for encoder in PLAN.encoders(study)
        for protocol, method in PLAN.refitted(study, encoder)
    ]


def main_predictions(wildcards):
    """The tables of predictions of the run that is looked at image by image."""
    protocol, method = PLAN.main_run(wildcards.study)
    path = "results/{study}/predictions/{protocol}/{method}/{encoder}.parquet"
    return [
        path.format(study=wildcards.study, protocol=protocol, method=method, encoder=e)
        for e in PLAN.encoders(wildcards.study)
        if (protocol, method) in PLAN.runs(wildcards.study, e)
    ]


def of_encoders(pattern, most=None):
    """A function of wildcards: `pattern` for every encoder of the study.

    With a method in it, for every encoder that the method is used on; `most` takes
    only so many of the first.
    """

    def paths(wildcards):
        run = (wildcards.get("protocol"), wildcards.get("method"))
        study = wildcards.study
        return [
            pattern.format(**{**wildcards, "encoder": encoder})
            for encoder in PLAN.encoders(study)[:most]
            if run == (None, None) or run in PLAN.runs(study, encoder)
        ]

    return paths


def trainings(wildcards):
    """The training tables of a study's fine-tuned encoders."""
    encoders = PLAN.trainings(wildcards.study)
    return [f"results/{wildcards.study}/training/{e}.parquet" for e in encoders]


def tables(wildcards):
    """Every table of a study."""
    study = wildcards.study
    names = "manifest quarantine comparisons variance seeds costs retrieval".split()
    names += [f"folds/{protocol}" for protocol in PLAN.protocols(study)]
    for encoder in PLAN.encoders(study):
        names += [f"embeddings/{encoder}", f"metrics/{encoder}"]
    names += [f"training/{encoder}" for encoder in PLAN.trainings(study)]
    made = [f"results/{study}/{name}.parquet" for name in names]
    return made + predictions(wildcards)


def figures(suffix):
    """A function of wildcards: all figures of the study as files with `suffix`."""

    def paths(wildcards):
        study = wildcards.study
        return [f"results/{study}/figures/{f}{suffix}" for f in PLAN.figures(study)]

    return paths


def main_folds(wildcards):
    """The folds of the protocol that is looked at image by image."""
    protocol, _ = PLAN.main_run(wildcards.study)
    return f"results/{wildcards.study}/folds/{protocol}.parquet"


def of_protocols(pattern):
    """A function of wildcards: `pattern` for every protocol of the study."""

    def paths(wildcards):
        protocols = PLAN.protocols(wildcards.study)
        return [pattern.format(study=wildcards.study, protocol=p) for p in protocols]

    return paths


def folds_of_kind(wildcards):
    """The folds of all protocols of one kind."""
    names = PLAN.protocols_of(wildcards.study, wildcards.kind)
    return [f"results/{wildcards.study}/folds/{name}.parquet" for name in names]


def all_weights(wildcards):
    """The files that name and hash the weights of all encoders of a study."""
    return [f"{path}/encoder.json" for path in PLAN.all_weights(wildcards.study)]


def of_readers(pattern):
    """A function of wildcards: `pattern` for every encoder with texts in the study.

    With an encoder among the wildcards, for that one, if it has texts.
    """

    def paths(wildcards):
        study = wildcards.study
        asked = wildcards.get("encoder")
        return [
            pattern.format(study=study, encoder=encoder)
            for encoder in ([asked] if asked else PLAN.encoders(study))
            if PLAN.reads(study, encoder)
        ]

    return paths


def metrics_of_span(wildcards):
    """The metrics of every encoder and study that are ranked together."""
    span = SPANS[Question(wildcards.protocol, wildcards.method, wildcards.metric)]
    return [
        f"results/{s}/metrics/{e}.parquet" for s in span.studies for e in span.encoders
    ]


def of_spans(name):
    """The file `name` of everything that is ranked over several studies."""
    return [f"results/across/{q.protocol}/{q.method}/{q.metric}/{name}" for q in SPANS]


def captions(wildcards):
    """The caption of every kind of figure that the study has."""
    kinds = {figure.split("/")[0] for figure in PLAN.figures(wildcards.study)}
    return [f"{CODE}/workflow/report/{kind}.rst" for kind in sorted(kinds)]


def more(megabytes):
    """Memory that doubles with every attempt, in MB."""

    def mem_mb(wildcards, attempt):
        return megabytes * 2 ** (attempt - 1)

    return mem_mb


wildcard_constraints:
    study="|".join(map(re.escape, PLAN.studies)),
    encoder=r"[A-Za-z0-9][A-Za-z0-9._@+~-]*",
    protocol="|".join(map(re.escape, PLAN.config["protocols"])),
    method="|".join(map(re.escape, [*PLAN.config["probes"], "zeroshot"])),
    probe="|".join(map(re.escape, PLAN.config["probes"])) or "none",
    kind="curve|fewshot",
    metric=r"\w+",
