"""Train the demo's encoders, each in a process and on one core of its own.

1. Render every drawing that shows no activity.
2. Train one encoder per loss on the same captioned scenes; leave one untrained.
3. Write each one's folder: weights, tokenizer, configuration, log, card.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from bakeoff.demo.encoders import write_encoder
from bakeoff.demo.training import Plan, load_material
from bakeoff.jobs import job


def demo_encoders(cards: Sequence[Path], processes: int, plan: Plan) -> None:
    """Write the folder of every card, `processes` of them at a time.

    A card is <encoder>/encoder.json. The weights do not depend on `processes`.
    """
    # ASSUME forked processes would inherit torch's threads in an unknown state.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        for _ in pool.map(_train, cards, [plan] * len(cards)):
            pass


def _train(card: Path, plan: Plan) -> None:
    torch.set_num_threads(1)  # sums in one order, so that the weights repeat
    write_encoder(card.parent, card.parent.name, plan, load_material())


if "snakemake" in globals():
    with job(
        log=snakemake.log[0],
        inputs=snakemake.input,
        outputs=snakemake.output,
        params=snakemake.params,
        scripts=snakemake.scriptdir,
    ):
        demo_encoders(
            cards=[Path(card) for card in snakemake.output.cards],
            processes=snakemake.threads,
            plan=Plan(),
        )
