"""Why an incident is: the slice, the change or the signal behind it, or that none was found."""
