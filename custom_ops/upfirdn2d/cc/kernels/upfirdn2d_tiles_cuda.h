// How upfirdn2d's CUDA kernels cut their work: a block computes a tile of the result for some of the channels.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_TILES_CUDA_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_TILES_CUDA_H_

#include <algorithm>
#include <cstdint>

#include "custom_ops/common/cc/kernels/cuda_elements.h"

namespace sg_keras {
namespace cuda {

constexpr int kTileThreads = 256;
constexpr int kTileChannels = 32;  // at most, of a tile: 128 bytes of a pixel, or as many of these as the image has
constexpr int64_t kMostTiles = int64_t{1} << 30;

// The images, and one axis of the map: out[o] = sum over j of filter[j] * upsampled[o * down + j - pad].
struct Axis {
  int64_t size;
  int64_t result_size;
  int64_t pad;
  int up;
  int down;
  int taps;
};

// Tiles of `height` x `width` results begin at (first_y, first_x), which may lie before 0.
struct Tiles {
  int64_t images;
  int64_t channels;
  int64_t count_y;
  int64_t count_x;
  int64_t first_y;
  int64_t first_x;
  int height;
  int width;
  int lanes;  // packs of channels of a tile: threads side by side
  int slots;  // threads of each lane
  int64_t groups;

  __host__ __device__ int64_t Count() const { return images * count_y * count_x * groups; }
  dim3 Grid() const { return dim3(static_cast<unsigned>(std::min(Count(), kMostTiles))); }
  dim3 Block() const { return dim3(lanes, slots); }
};

inline Tiles CutTiles(int64_t images, int64_t channels, int pack, const Axis& y, const Axis& x, int height, int width,
                      int64_t first_y, int64_t first_x) {
  Tiles tiles = {};
  tiles.images = images;
  tiles.channels = channels;
  tiles.count_y = (y.result_size - first_y + height - 1) / height;
  tiles.count_x = (x.result_size - first_x + width - 1) / width;
  tiles.first_y = first_y;
  tiles.first_x = first_x;
  tiles.height = height;
  tiles.width = width;
  const int64_t packs = channels / pack;
  const int64_t most_lanes = kTileChannels / pack;
  tiles.groups = (packs + most_lanes - 1) / most_lanes;
  tiles.lanes = static_cast<int>((packs + tiles.groups - 1) / tiles.groups);
  tiles.slots = kTileThreads / tiles.lanes;
  return tiles;
}

// A tile: its first result, and this thread's channels.
struct TilePlace {
  int64_t image;
  int64_t y;
  int64_t x;
  int64_t channel;  // at or beyond the images' channels: nothing to do
};

// Groups of channels of the same pixels lie side by side in memory: their blocks run at the same time.
__device__ __forceinline__ TilePlace PlaceOf(const Tiles& tiles, int64_t tile, int pack) {
  TilePlace place;
  place.channel = (tile % tiles.groups * tiles.lanes + threadIdx.x) * pack;
  tile /= tiles.groups;
  place.x = tiles.first_x + tile % tiles.count_x * tiles.width;
  tile /= tiles.count_x;
  place.y = tiles.first_y + tile % tiles.count_y * tiles.height;
  place.image = tile / tiles.count_y;
  return place;
}

}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_TILES_CUDA_H_
