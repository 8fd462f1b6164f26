"""Data that ship with the package, and samples whose mutual information is known."""

from mine.datasets.examples import EXAMPLES as EXAMPLES
from mine.datasets.examples import Example as Example
from mine.datasets.examples import example_path as example_path
from mine.datasets.examples import load_example as load_example
from mine.datasets.gaussian import correlated_normal as correlated_normal
from mine.datasets.gaussian import correlated_normal_mi as correlated_normal_mi

__all__ = ["EXAMPLES", "Example", "correlated_normal", "correlated_normal_mi", "example_path", "load_example"]
