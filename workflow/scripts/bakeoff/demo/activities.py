"""The folder of activity images: 15 activities, drawn by people, in varied scenes.

A drawing is a group: all its scenes lie on the same side of the division into training
and test images.
"""

from pathlib import Path

import numpy as np

from bakeoff.demo.drawings import ACTIVITIES, GENDERS, TONES, Drawing, examples, render
from bakeoff.demo.files import replaced_folder, sha256, write_csv
from bakeoff.demo.scenes import compose, jpeg


def write_activities(
    folder: Path, listing: Path, *, seed: int, scenes_per_drawing: int, size: int
) -> None:
    """Write the images below `folder` and their `listing`.

    Images are `folder`/<split>/<activity>/<code>_<k>.jpg, k from 0 to
    `scenes_per_drawing` - 1, `size` pixels wide and high. The listing is a CSV of path
    (relative to `folder`), label, split, group (the drawing's code) and sha256, in the
    order of the drawings' codes. Both are the same bytes for the same arguments. An
    earlier `folder` is replaced as a whole.
    """
    rows = []
    with replaced_folder(folder) as new:
        for index, drawing in enumerate(examples()):
            picture = render(drawing, size)
            for k in range(scenes_per_drawing):
                path = Path(
                    split(drawing), str(drawing.activity), f"{drawing.code}_{k}.jpg"
                )
                rng = np.random.default_rng([seed, index, k])
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                (new / path).write_bytes(jpeg(compose(picture, rng, size), rng))
                rows.append(
                    {
                        "path": path.as_posix(),
                        "label": drawing.activity,
                        "split": split(drawing),
                        "group": drawing.code,
                        "sha256": sha256(new / path),
                    }
                )
    write_csv(listing, rows)


def split(drawing: Drawing) -> str:
    """Side of the drawing: test for 6 of an activity's 18, train for the other 12.

    With gender g = 0..2, skin tone t = 0..5 and activity a = 0..14, a drawing is a test
    drawing where (g + t + a) mod 3 = 0. So each gender gives two test drawings to every
    activity and each tone one, and no activity can be told by gender or tone.
    """
    place = (
        GENDERS.index(str(drawing.gender))
        + TONES.index(str(drawing.tone))
        + ACTIVITIES.index(str(drawing.activity))
    )
    return "test" if place % 3 == 0 else "train"
