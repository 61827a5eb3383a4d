"""Powers of two, and the refusal of other numbers."""

import pytest

from sg_keras.config.sizes import is_power_of_two, require_power_of_two


def test_powers_of_two():
    assert [n for n in range(-8, 70) if is_power_of_two(n)] == [1, 2, 4, 8, 16, 32, 64]
    assert [n for n in range(-8, 70) if is_power_of_two(n, at_least=8)] == [8, 16, 32, 64]


@pytest.mark.parametrize("value", [-4, 0, 2, 24])
def test_other_numbers_are_refused(value):
    with pytest.raises(ValueError, match=f"^resolution: found {value}, expected a power of two of at least 4$"):
        require_power_of_two(value, "resolution", at_least=4)
    require_power_of_two(4, "resolution", at_least=4)
