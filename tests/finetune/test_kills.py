"""A few real kills; benchmarks/finetune_kills.py makes as many as wanted."""

from pathlib import Path

from study import Study
from training_kills import kill_and_compare


def test_a_training_that_is_killed_ends_with_the_same_weights(
    tmp_path: Path, study: Study
) -> None:
    met = kill_and_compare(study, tmp_path, kills=3, seed=0)
    assert met.kills == 3 and met.trainings >= 1
