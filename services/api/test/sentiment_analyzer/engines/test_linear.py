"""int8 products are exact, by integer and by floating-point instructions."""

import numpy as np
import pytest
import torch

from src.sentiment_analyzer.engines.linear import FloatProducts, IntegerProducts


@pytest.mark.parametrize("products", [IntegerProducts, FloatProducts])
@pytest.mark.parametrize("inputs", [64, 1536])
def test_products_are_exact(products: type[IntegerProducts] | type[FloatProducts], inputs: int) -> None:
    source = np.random.default_rng(0)
    rows = source.integers(-127, 128, (5, inputs))
    weight = source.integers(-127, 128, (96, inputs))
    found = products(torch.from_numpy(weight.astype(np.int8)))(torch.from_numpy(rows.astype(np.float32)))
    np.testing.assert_array_equal(found.numpy(), rows @ weight.T)


def test_the_largest_possible_sum_of_floats_is_exact() -> None:
    most = FloatProducts.EXACT_INPUTS
    rows, weight = torch.full((1, most), 127.0), torch.full((1, most), 127, dtype=torch.int8)
    assert FloatProducts(weight)(rows).item() == most * 127**2
