"""How soon alerts fire, and how seldom for nothing."""
