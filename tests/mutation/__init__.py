"""Small mistakes made in the code that decides, one at a time, and whether its tests see them (decision 0031).

`python -m tests.mutation` (`make mutants`) tells, for each module of `table.py`, how many of its mutants are killed.
"""
