"""Control: the processes and the loop, wired from the rooms below."""
