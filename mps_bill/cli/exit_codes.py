"""What the exit code of every command means; a promise to scripts."""

DONE = 0
FOUND = 1
WRONG_COMMAND_LINE = 2
REJECTED = 3
LIMIT_CROSSED = 4
BUG = 70
INTERRUPTED = 130
