"""The rule graph of the workflow in one order, whatever order Snakemake prints it in.

    snakemake --rulegraph dot | python -m planning.rulegraph > docs/rulegraph.dot

Snakemake numbers the rules by the order of a walk over sets; here they bear their names.
"""

import re
import sys


def in_order(dot: str) -> str:
    """The graph with rules for node names and sorted lines."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', dot, re.MULTILINE))
    edges = re.findall(r"^\s*(\d+) -> (\d+)", dot, re.MULTILINE)
    lines = [
        "digraph rules {",
        '    graph [bgcolor="transparent"];',
        '    node [shape=box, style=rounded, fontname="sans-serif", fontsize=10];',
        *(f"    {name};" for name in sorted(names.values())),
        *sorted(f"    {names[a]} -> {names[b]};" for a, b in edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(in_order(sys.stdin.read()), end="")
