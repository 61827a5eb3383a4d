"""Operations of an iteration, counted in its graphs."""

import pytest

from sg_keras.planning.cost import flops_per_image, half_share, phase_costs
from tests.planning.tiny_plan import tiny_step


def test_phases_and_their_mean():
    costs = phase_costs(tiny_step(), 8)
    assert list(costs) == ["Gmain", "Greg", "Dmain", "Dreg"]
    assert all(cost.products > cost.filters > 0 for cost in costs.values())
    mean = sum(cost.total / {"Greg": 4, "Dreg": 16}.get(name, 1) for name, cost in costs.items())
    assert flops_per_image(tiny_step(), costs) == pytest.approx(mean)


def test_share_of_large_images_falls_with_their_size():
    shares = [half_share(tiny_step(), side) for side in (4, 8, 16)]
    assert 1 > shares[0] > shares[1] > shares[2] == 0
