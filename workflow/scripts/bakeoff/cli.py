"""The command `bakeoff`: what is asked outside the workflow."""

import argparse
import sys
from collections.abc import Sequence
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
    init.add_argument("--name", help="name of the study; the folder's name if left out")
    init.add_argument(
        "--output", type=Path, help="configuration to write; NAME.yaml if left out"
    )
    init.add_argument("--force", action="store_true", help="overwrite what is there")
    init.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    from planning.starter import look, starter_config, starter_prompts, study_name

    found = look(options.images, options.labels_file)
    name = study_name(options.name or options.images.resolve().name)
    config = options.output or Path(f"{name}.yaml")
    prompts = config.with_name(f"{config.stem}-prompts.yaml")
    texts = {
        config: starter_config(
            name, options.images, found, None if found.ordinal else prompts
        )
    }
    if not found.ordinal:
        texts[prompts] = starter_prompts(found)
    _refuse_overwriting(texts, options.force)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    print(f"Look it over, then:  make run CONFIG={config}")
    return 0


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
