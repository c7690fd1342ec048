"""Statistics: pure functions of numbers, each with its formula and its reference."""
