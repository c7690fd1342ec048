"""What it costs to keep a thousand budgets current, and how soon an event is in them."""
