"""Probes by kind."""

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.probes.centroid import Centroid
from bakeoff.probes.corn import Corn
from bakeoff.probes.interface import Probe
from bakeoff.probes.logistic import Logistic
from bakeoff.probes.neighbours import Neighbours
from bakeoff.probes.ridge import Ridge
from bakeoff.probes.svc import SupportVectors

PROBES: dict[str, type[Probe]] = {
    "ridge": Ridge,
    "svc": SupportVectors,
    "logistic": Logistic,
    "corn": Corn,
    "centroid": Centroid,
    "knn": Neighbours,
}

# The setting that decides most, and the values that are tried for it where the probe
# does not list those that `nested` chooses from.
SETTINGS: dict[type[Probe], tuple[str, tuple[float, ...]]] = {
    Ridge: ("alpha", ()),
    SupportVectors: ("C", ()),
    Logistic: ("C", ()),
    Corn: ("C", (0.01, 0.1, 1.0, 10.0, 100.0)),
    Neighbours: ("k", (1, 2, 5, 10, 20, 50)),
}


def setting_of(probe: Probe) -> tuple[str, tuple[float, ...]]:
    """The name of the probe's deciding setting, and the values to try, ascending.

    The values are those that `nested` chooses from, with the probe's own where it is a
    number. An empty name and no values for a probe without such a setting.
    """
    if type(probe) not in SETTINGS:
        return "", ()
    name, others = SETTINGS[type(probe)]
    own = getattr(probe, name)
    values = {*getattr(probe, f"{name}s", others), *([] if own == "nested" else [own])}
    return name, tuple(sorted(values))


def make_probe(settings: Mapping[str, Any]) -> Probe:
    """The probe of `settings["kind"]` with the other settings as its fields.

    Raises BakeoffError for an unknown kind and for settings that the probe lacks.
    """
    kind, values = settings["kind"], {k: v for k, v in settings.items() if k != "kind"}
    if kind not in PROBES:
        raise BakeoffError(
            "probe",
            f"kind {kind!r}",
            f"one of {', '.join(PROBES)}",
            _near(kind, PROBES),
        )
    known = [f.name for f in dataclasses.fields(PROBES[kind])]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise BakeoffError(
            f"probe {kind}",
            f"settings {', '.join(unknown)}",
            f"any of {', '.join(known) or 'none'}",
            " ".join(_near(key, known) for key in unknown),
        )
    return PROBES[kind](**values)


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else "Mend the configuration."
