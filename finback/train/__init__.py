"""Training: recipes and the loop that runs them."""

from finback.train.loop import train
from finback.train.recipe import Recipe, RecipeError, read_recipe

__all__ = ["Recipe", "RecipeError", "read_recipe", "train"]
