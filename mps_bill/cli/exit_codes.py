"""What the exit code of every command means; a promise to scripts. A run that a signal ends has 128 and its number."""

DONE = 0
#: Also: done, but rows were rejected.
FOUND = 1
WRONG_COMMAND_LINE = 2
#: Nothing was billed and no account charged: the input is wrong, all of it was rejected, or the result cannot be written.
REJECTED = 3
LIMIT_CROSSED = 4
BUG = 70
