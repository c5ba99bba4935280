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


def test_no_part_can_sum_to_more_than_float32_holds_exactly() -> None:
    """The order of summation may hide it, so the largest sum of each part is computed here, in integers."""
    products = FloatProducts(torch.full((1, 1536), 127, dtype=torch.int8))
    sums = [int((weights.to(torch.int64) * 127).sum()) for weights in products._weights]
    assert sum(sums) == 1536 * 127**2 > 2**24
    assert max(sums) <= 2**24
