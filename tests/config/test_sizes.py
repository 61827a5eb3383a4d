"""Sizes of images: how people write them, which a configuration takes, and the blocks that networks have for them."""

import pytest

from sg_keras.config.sizes import (
    ImageSize,
    block_sizes,
    doubling_sizes,
    expected_size,
    image_size,
    nearest_sizes,
    parse_size,
    takes_size,
)

POWERS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
WORKS = ["768x512", "512x768", "640x384", "96x64", "48x32", "1280x640", "1280x768", "24x24", "2048x8", *POWERS]
REFUSED = {
    "1280x720": "1280x640 or 1280x768",
    "300x200": "288x192 or 320x192",
    "100x100": "96x96 or 112x112",
    "9x9": "8x8 or 10x10",
    "4x4": "8x8",
    "1x1": "8x8",
    "64x4": "64x8",
    "1920x1080": "1792x1024 or 2048x1024",
}


@pytest.mark.parametrize("text", [str(size) for size in WORKS])
def test_sizes_that_work(text):
    size = parse_size(text)
    assert takes_size("stylegan2", size) and takes_size("stylegan3-t", size)
    first, *_, last = doubling_sizes(size).values()
    assert 4 <= first.shorter < 8 and last == size
    steps = (last.height // first.height).bit_length() - 1
    assert (last.height, last.width) == (first.height << steps, first.width << steps) and steps >= 1


@pytest.mark.parametrize(("text", "nearest"), list(REFUSED.items()))
def test_others_are_refused_with_the_nearest_that_work(text, nearest):
    size = parse_size(text)
    assert not takes_size("stylegan2", size)
    assert expected_size("stylegan2", size).startswith(f"{nearest}, the nearest size")
    assert all(takes_size("stylegan2", near) for near in nearest_sizes("stylegan2", size))
    if size.shorter >= 8:
        with pytest.raises(ValueError, match=f"^img_resolution: found {text}, expected {nearest}, the nearest"):
            doubling_sizes(size)


def test_nearest_sizes_are_the_nearest_for_every_size_up_to_100():
    works = [ImageSize(h, w) for h in range(8, 260) for w in range(8, 260) if takes_size("stylegan2", ImageSize(h, w))]
    for height in range(1, 100, 7):
        for width in range(1, 100, 5):
            size = ImageSize(height, width)
            near = [other for other in works if (other.height == other.width) == (height == width)]
            far = [abs(other.height - height) + abs(other.width - width) for other in near or works]
            found = nearest_sizes("stylegan2", size)
            assert min(abs(f.height - height) + abs(f.width - width) for f in found) <= min(far), size


def test_stylegan3_takes_any_even_sides():
    assert takes_size("stylegan3-r", parse_size("1280x720")) and not takes_size("stylegan3-r", parse_size("1281x720"))
    assert expected_size("stylegan3-t", parse_size("1281x719")).startswith("1280x718 or 1282x720, the nearest sizes")
    assert expected_size("stylegan2", parse_size("1280x720")).endswith("(StyleGAN3 takes any even sides)")


@pytest.mark.parametrize("side", POWERS)
def test_blocks_of_a_square_are_called_by_their_side(side):
    assert all(size == ImageSize(level, level) for level, size in block_sizes(ImageSize(side, side)).items())


def test_blocks_of_other_sizes_halve_rounding_down():
    sizes = block_sizes(parse_size("1280x720"))
    assert list(sizes) == [4, 8, 16, 32, 64, 128, 256, 512]
    assert [str(size) for size in sizes.values()][:3] == ["10x5", "20x11", "40x22"]


def test_how_sizes_are_written():
    assert str(parse_size("768x512")) == "768x512" and parse_size(" 768 X 512 ").plain == (512, 768)
    assert parse_size("64") == image_size(64) == image_size([64, 64]) and image_size((64, 64)).plain == 64
    for text in ("", "x512", "0x8", "1.5", "768x512x3", "-4", "٣x٣"):
        with pytest.raises(ValueError, match="expected WIDTHxHEIGHT in pixels"):
            parse_size(text)


@pytest.mark.parametrize("value", [0, -4, (8,), (8, 0), "64x64", (8, 8, 3), 8.0, None])
def test_what_is_no_size(value):
    with pytest.raises(ValueError, match=r"^img_resolution: found .*, expected a positive number of pixels"):
        image_size(value, "img_resolution")
