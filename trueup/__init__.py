"""trueup keeps the customer records of many systems true to each other."""

__version__ = "0.1.0"
