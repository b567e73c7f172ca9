"""The exit codes of all commands, a promise to scripts. A run ended by a signal exits with 128 plus the signal's number."""

DONE = 0
#: Something was found; or the run is done, but rows were rejected.
FOUND = 1
WRONG_COMMAND_LINE = 2
#: Nothing was billed or charged: the input is wrong, every row was rejected, or the result cannot be written.
REJECTED = 3
LIMIT_CROSSED = 4
BUG = 70
