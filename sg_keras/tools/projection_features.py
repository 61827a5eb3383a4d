"""What --loss compares images by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sg_keras.tools.network_option import load_networks, named_errors

if TYPE_CHECKING:
    from sg_keras.features import PerceptualFeatures


def chosen_features(values: dict[str, Any], image_shape: tuple[int, int, int]) -> PerceptualFeatures:
    """The features of --loss.

    Args:
        values: of the options; loss, vgg16, network and ops are read.
        image_shape: height, width and channels of the images.

    Raises:
        ValueError, OSError: what --loss names cannot be had; one line.
    """
    from sg_keras.features import ColourFeatures, DiscriminatorTaps, PixelFeatures
    from sg_keras.features.published import open_vgg16
    from sg_keras.inference.projection import default_features, with_pixels

    if values["loss"] == "effnet+pixel":
        return default_features()
    if values["loss"] == "pixel":
        return PixelFeatures()
    if values["loss"] == "vgg16+pixel":
        network = named_errors("--vgg16", lambda: open_vgg16(values["vgg16"]))
        return with_pixels(ColourFeatures(network, "vgg16"))
    if min(image_shape[:2]) < 8:
        raise ValueError("--loss: found discriminator+pixel with images below 8x8, expected another loss")
    D = load_networks("--loss: discriminator+pixel", values["network"], values["ops"], ("D",))["D"]
    return with_pixels(DiscriminatorTaps(D))
