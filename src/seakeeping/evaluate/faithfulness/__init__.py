"""Faithfulness: is what the answer claims supported by what it was given?"""

from seakeeping.evaluate.faithfulness.evaluator import Faithfulness

__all__ = ["Faithfulness"]
