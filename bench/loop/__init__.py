"""The whole loop on labelled traffic, with and without a bad release in it."""
