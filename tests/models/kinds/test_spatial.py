"""Spatial dropout drops whole feature maps, in either order of the dimensions."""

import numpy as np
import pytest

from dropout_lab.models.kinds import SpatialDropout


@pytest.mark.parametrize("spatial", [(3,), (3, 2), (3, 2, 4)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_map_is_dropped_or_kept_as_a_whole(spatial: tuple[int, ...], data_format: str) -> None:
    first = data_format == "channels_first" and len(spatial) > 1
    shape = (10, 20, *spatial) if first else (10, *spatial, 20)
    outputs = SpatialDropout(0.5, 1, data_format=data_format)(np.ones(shape), training=True).numpy()
    maps = outputs if first else np.moveaxis(outputs, -1, 1)
    maps = maps.reshape(10, 20, -1)
    np.testing.assert_array_equal(maps, np.broadcast_to(maps[..., :1], maps.shape))
    assert 0.3 < (maps[..., 0] == 0).mean() < 0.7  # 200 coins: 5.6 standard deviations


@pytest.mark.parametrize("shape", [(4, 8), (4, 2, 2, 2, 2, 8)])
def test_inputs_without_maps_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected m(in_ndim=3|ax_ndim=5), found ndim="):
        SpatialDropout(0.5)(np.ones(shape))


def test_another_data_format_is_refused() -> None:
    with pytest.raises(ValueError, match=r"argument `data_format`.*'channel_last'"):
        SpatialDropout(0.5, data_format="channel_last")
