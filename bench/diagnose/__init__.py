"""Which slice broke: incidents with a planted cause, and how often who finds it at what cost."""
