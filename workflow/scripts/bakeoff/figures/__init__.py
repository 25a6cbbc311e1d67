"""The figures, one module each, drawn from saved tables and from nothing else.

Every module has the same three functions:

- `data_from(*, <tables>, <choices>)` picks and orders the numbers, and is pure. An
  argument named after a kind of table takes that table, or the tables of several runs.
- `size(data)` is the width and height in inches that the numbers need.
- `draw(data, figure)` draws them into a Matplotlib figure.

`save.save_figure` puts the three together and writes SVG and PNG. No figure computes a
test: differences, intervals of differences and probabilities come from `comparisons`.
"""
