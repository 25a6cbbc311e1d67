"""Which encoders can be ranked over several studies: enough data sets, the same question.

Rank tests take one value per data set. Folds of one data set cannot stand in for data
sets, so with fewer studies than that nothing is ranked.
"""

from collections import defaultdict
from typing import NamedTuple

from planning.plan import GROWING, Plan

# As in bakeoff.stats.datasets, which this module would take a second to import.
FEWEST_STUDIES = 5
FEWEST_ENCODERS = 3


class Question(NamedTuple):
    """What the studies of a span have in common; the wildcards of its files."""

    protocol: str
    method: str
    metric: str


class Span(NamedTuple):
    """Studies that ask one question, and the encoders that all of them ask it of."""

    studies: list[str]
    encoders: list[str]


def spans(plan: Plan) -> dict[Question, Span]:
    """The span of every question that enough studies ask of enough encoders.

    Studies ask the same question where they use one protocol and one probe and decide
    by one metric. Encoders that only some of them compare are left out.
    """
    found: dict[Question, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for study in plan.studies:
        growing, metric = plan.protocols_of(study, *GROWING), plan.metrics(study)[0]
        for encoder in plan.encoders(study):
            for protocol, method in plan.runs(study, encoder):
                if protocol not in growing:
                    question = Question(protocol, method, metric)
                    found[question][study].append(encoder)
    every = {question: _span(asked) for question, asked in found.items()}
    return {question: span for question, span in every.items() if _enough(span)}


def _span(asked: dict[str, list[str]]) -> Span:
    first, *others = asked.values()
    return Span(list(asked), [e for e in first if all(e in other for other in others)])


def _enough(span: Span) -> bool:
    return len(span.studies) >= FEWEST_STUDIES and len(span.encoders) >= FEWEST_ENCODERS
