"""Data that ship with the package, and samples whose mutual information is known."""

from mine.data.examples import EXAMPLES as EXAMPLES
from mine.data.examples import Example as Example
from mine.data.examples import example_path as example_path
from mine.datasets.digits_set import digits as digits
from mine.datasets.examples import load_example as load_example
from mine.datasets.gaussian import correlated_normal as correlated_normal
from mine.datasets.gaussian import correlated_normal_mi as correlated_normal_mi
from mine.datasets.icosahedron import icosahedron_patterns as icosahedron_patterns
from mine.datasets.images import Images as Images
from mine.datasets.mnist_set import mnist as mnist
from mine.datasets.noisy_functions import noisy_function as noisy_function
from mine.datasets.noisy_functions import noisy_function_mi as noisy_function_mi
from mine.datasets.points import gaussian_grid as gaussian_grid
from mine.datasets.points import spirals as spirals

__all__ = [
    "EXAMPLES",
    "Example",
    "Images",
    "correlated_normal",
    "correlated_normal_mi",
    "digits",
    "example_path",
    "gaussian_grid",
    "icosahedron_patterns",
    "load_example",
    "mnist",
    "noisy_function",
    "noisy_function_mi",
    "spirals",
]
