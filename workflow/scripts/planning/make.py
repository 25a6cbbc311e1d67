"""The plan of a configuration file, complete and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakeoff.documents import read_yaml
from bakeoff.errors import BakeoffError

from planning.catalogue import read_catalogue, replaced_entries
from planning.config import complete, load_schema, refused
from planning.plan import Plan
from planning.problems import problems


def make_plan(config: Mapping[str, Any], root: Path) -> Plan:
    """The plan of a configuration; `root` is the folder of the code.

    Raises BakeoffError with one line for every problem.
    """
    presets = read_yaml(root / "config/recipes.yaml")
    schema = load_schema(root / "config/schema.yaml")
    completed = complete(_with_presets(config, presets), schema)
    draft = Plan(completed, {}, root)
    catalogues = _catalogues(draft)
    catalogue = read_catalogue(catalogues, schema, draft.locate)
    plan = Plan(completed, catalogue, root, replaced_entries(catalogues))
    if found := problems(plan):
        raise refused("configuration", found)
    return plan


def _catalogues(plan: Plan) -> list[Path]:
    """The catalogue that comes with bakeoff, then the user's own, if there is one."""
    shipped = plan.root / "config/encoders.yaml"
    own = Path(plan.locate(plan.config["catalogue"]))
    if not own.is_file():
        raise BakeoffError(
            "configuration",
            f"catalogue: {own}, which is not there",
            "a YAML file of encoders",
            "Leave the key out to use the one that comes with bakeoff.",
        )
    return [shipped] if own.samefile(shipped) else [shipped, own]


def _with_presets(
    config: Mapping[str, Any], presets: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The configuration with the named presets among its recipes."""
    own = config.get("recipes", {})
    if not isinstance(own, Mapping):
        return config
    return {**config, "recipes": {**presets, **own}}
