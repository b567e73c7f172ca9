"""Usage files to totals: the only package that reads every row."""

from typing import Literal

#: The engines that read usage files; `auto` chooses by the size of the files.
EngineName = Literal["auto", "duckdb", "python", "spark"]
