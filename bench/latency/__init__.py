"""How soon an answer is scored."""
