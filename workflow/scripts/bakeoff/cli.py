"""The command `bakeoff`: what is asked outside the workflow."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

from bakeoff.errors import BakeoffError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 if it did what was asked, 1 with one message if not."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except BakeoffError as error:
        print(f"bakeoff: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bakeoff",
        description="Which image-text encoder to use on your own images.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_init(commands)
    _add_audit(commands)
    _add_power(commands)
    _add_search(commands)
    _add_verify(commands)
    return parser


def _add_init(commands: argparse._SubParsersAction) -> None:
    init = commands.add_parser(
        "init",
        help="write a first configuration for a folder of labelled images",
        description="Write a first configuration, and a prompt bank, for a folder of "
        "labelled images: train/<class>/ and test/<class>/, or <class>/, or any folder "
        "with a table of labels.",
    )
    init.add_argument("images", type=Path, help="the folder of images")
    init.add_argument(
        "--labels-file",
        type=Path,
        help="CSV or Parquet file with the columns path (relative to the folder) and "
        "label, and perhaps split and group",
    )
    init.add_argument(
        "--labels",
        choices=("nominal", "ordinal"),
        help="classes without an order, or numbers such as ages; if left out, classes "
        "that are all numbers are taken for ordinal",
    )
    init.add_argument("--name", help="name of the study; the folder's name if left out")
    init.add_argument(
        "--output", type=Path, help="configuration to write; NAME.yaml if left out"
    )
    init.add_argument("--force", action="store_true", help="overwrite what is there")
    init.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    from planning.offline import USUAL, first_encoders
    from planning.starter import look, starter_config, starter_prompts, study_name

    found = replace(look(options.images, options.labels_file), labels=options.labels)
    name = study_name(options.name or options.images.resolve().name)
    config = options.output or Path(f"{name}.yaml")
    prompts = config.with_name(f"{config.stem}-prompts.yaml")
    encoders = first_encoders()
    bank = None if found.ordinal else prompts
    texts = {config: starter_config(name, options.images, found, bank, encoders)}
    if not found.ordinal:
        texts[prompts] = starter_prompts(found)
    _refuse_overwriting(texts, options.force)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    if found.ordinal and not options.labels:
        print(
            "All classes are numbers, so they are taken for ages or sizes (ordinal), "
            "without prompts. If they are names, such as digits, run this again with "
            "--labels nominal --force."
        )
    if found.grouped:
        print(
            f"The column group of {found.labels_file} is used: images of one group stay on "
            "one side of training and test."
        )
    if encoders != USUAL:
        print(
            "The hub of weights cannot be reached from here, so the configuration names "
            f"encoders that come with bakeoff: {', '.join(encoders)}."
        )
    print(f"Look it over, then:  make run CONFIG={config}")
    return 0


def _add_audit(commands: argparse._SubParsersAction) -> None:
    audit = commands.add_parser(
        "audit",
        help="what a published table of results can and cannot mean",
        description="Says of a published table (CSV with the columns class, support and "
        "recall, perhaps model, and rows of summary metrics) what is arithmetically "
        "possible: the counts behind each share, contradictions, and what any paired "
        "test could have found. docs/examples/activities-published.csv is an example.",
    )
    audit.add_argument("table", type=Path, help="the table")
    audit.set_defaults(run=_audit)


def _audit(options: argparse.Namespace) -> int:
    from bakeoff.audit import audit

    print(audit(options.table).text())
    return 0


def _add_power(commands: argparse._SubParsersAction) -> None:
    power = commands.add_parser(
        "power",
        help="how many images show a difference, or which difference images can show",
        description="Of two encoders on the same test images. The disagreement is the "
        "share of images that exactly one of them has right: take it from a pilot "
        "(--only-first, --only-second and --images), or from a finished study.",
    )
    power.add_argument("--images", type=int, help="number of test images")
    power.add_argument("--only-first", type=int, help="images only the first has right")
    power.add_argument(
        "--only-second", type=int, help="images only the second has right"
    )
    power.add_argument("--disagreement", type=float, help="as a share, such as 0.2")
    power.add_argument("--difference", type=float, help="as a share, such as 0.02")
    power.add_argument(
        "--comparisons", type=Path, help="results/STUDY/comparisons.parquet"
    )
    power.set_defaults(run=_power)


def _power(options: argparse.Namespace) -> int:
    _check_power(options)
    said = _power_of_study if options.comparisons else _power_of_images
    print("\n".join(said(options)))
    return 0


def _check_power(options: argparse.Namespace) -> None:
    """Raise BakeoffError that lists every number that is out of its range."""
    counts, shares = ("only_first", "only_second"), ("disagreement", "difference")
    wrong = [(n, "0 or more") for n in counts if (getattr(options, n) or 0) < 0]
    if options.images is not None and options.images < 1:
        wrong.append(("images", "1 or more"))
    elif (
        options.images
        and sum(getattr(options, n) or 0 for n in counts) > options.images
    ):
        wrong.append(("images", "at least --only-first and --only-second together"))
    for name in shares:
        value = getattr(options, name)
        if value is not None and not 0 < value <= 1:
            wrong.append((name, "a share above 0 and up to 1, such as 0.02"))
    if wrong:
        raise BakeoffError(
            "power",
            ", ".join(f"{_option(n)} {getattr(options, n)}" for n, _ in wrong),
            "; ".join(f"{_option(n)}: {expected}" for n, expected in wrong),
            "Correct these numbers.",
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _power_of_study(options: argparse.Namespace) -> list[str]:
    """One line per pair of a finished study, whose disagreement is known."""
    from bakeoff.compare.pilot import plans
    from bakeoff.tables import read_table

    difference = _given(options.difference, "--difference")
    return [
        f"{plan.a} and {plan.b}, {plan.method} on {plan.protocol}: "
        f"{plan.images:,} images show {100 * plan.detectable:.1f} points; "
        f"{100 * difference:g} points need about {plan.needed:,}"
        for plan in plans(read_table(options.comparisons, "comparisons"), difference)
    ]


def _power_of_images(options: argparse.Namespace) -> list[str]:
    """What a number of images shows, and how many a difference needs."""
    from bakeoff.stats.power import detectable_difference, images_needed

    disagreement, said = _disagreement(options), []
    alike = f"with a disagreement of {100 * disagreement:.1f} %"
    if options.images:
        smallest = detectable_difference(options.images, disagreement)
        shown = f"a difference of {100 * smallest:.1f} points"
        said.append(
            f"{options.images:,} images {alike} show "
            f"{shown if isfinite(smallest) else 'no difference'}, 8 times out of 10 at 5 %"
        )
    if options.difference:
        needed = images_needed(options.difference, disagreement)
        said.append(
            f"{100 * options.difference:g} points {alike} need {needed:,} images, "
            "8 times out of 10 at 5 %"
        )
    if not said:
        _given(None, "--images or --difference")
    return said


def _disagreement(options: argparse.Namespace) -> float:
    """As given, or from the counts of a pilot."""
    if options.only_first is not None and options.only_second is not None:
        discordant = options.only_first + options.only_second
        return discordant / _given(options.images, "--images")
    return _given(options.disagreement, "--disagreement, or a pilot's counts")


def _add_search(commands: argparse._SubParsersAction) -> None:
    search = commands.add_parser(
        "search",
        help="the images of a study that are nearest to a text or to a picture",
        description="The images of a finished study that are nearest to a text or to a "
        "picture, in the index of one encoder, which this makes: "
        "make index STUDY=NAME ENCODER=ID",
    )
    search.add_argument("text", nargs="?", help='such as "person juggling"')
    search.add_argument("--image", type=Path, help="a picture to search by instead")
    search.add_argument("--study", required=True, help="id of the study")
    search.add_argument("--encoder", required=True, help="id of the encoder")
    search.add_argument("--count", type=int, default=10, help="how many (10)")
    search.add_argument("--prompts", action="store_true", help="find prompts as well")
    search.add_argument("--page", type=Path, help="write what was found as a page")
    search.add_argument(
        "--results", type=Path, default=Path("results"), help="folder of results"
    )
    search.set_defaults(run=_search)


def _search(options: argparse.Namespace) -> int:
    from bakeoff.search import read_query, search_study

    if (options.text is None) == (options.image is None):
        raise BakeoffError(
            "search",
            "no query" if options.text is None else "a text and an image",
            "a text or --image FILE",
            'As in: bakeoff search "person juggling" --study NAME --encoder ID',
        )
    found = search_study(
        options.results / options.study,
        read_query(options.image) if options.image else options.text,
        encoder=options.encoder,
        kinds=("image", "text") if options.prompts else ("image",),
        count=options.count,
    )
    for hit in found.hits:
        print(f"{hit.cosine:.3f}  {hit.label:20}  {hit.path or hit.name}")
    if options.page:
        found.write_page(options.page)
        print(f"wrote {options.page}")
    return 0


def _given(value: float | None, name: str) -> float:
    if value is None:
        raise BakeoffError(
            "power", f"no {name}", "what `bakeoff power --help` lists", f"Give {name}."
        )
    return value


def _add_verify(commands: argparse._SubParsersAction) -> None:
    verify = commands.add_parser(
        "verify",
        help="hash everything again and say what does not match",
        description="Reads every table, page, figure, index, image and file of weights "
        "behind the results: whether it is what its path says, has the hash that was "
        "taken when it was made, and is made from what lies there now. Exit status 1 if "
        "anything differs.",
    )
    verify.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="the folder"
    )
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from bakeoff.verify import verify

    found = verify(options.results)
    print(found.text())
    return 1 if found.problems else 0


def _refuse_overwriting(paths: Sequence[Path] | dict[Path, str], force: bool) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise BakeoffError(
            ", ".join(there),
            "a file that is already there",
            "a new name",
            "Give another --output, or --force to overwrite.",
        )


if __name__ == "__main__":
    sys.exit(main())
