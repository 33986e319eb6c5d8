"""Small mistakes made in the code that decides, one at a time: do its tests see them (decision 0031)?

`python -m tests.mutation` (`make mutants`) tells of each module in `table.py` how many mutants are killed.
"""
