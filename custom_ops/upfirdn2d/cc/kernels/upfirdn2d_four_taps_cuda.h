// upfirdn2d with a separable filter of up to four taps at up 2, down 2 or neither: what StyleGAN2 does in nearly every
// layer. All counts are constants: a thread filters a strip of results from registers, down the columns into shared
// memory and then along the rows.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_FOUR_TAPS_CUDA_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_FOUR_TAPS_CUDA_H_

#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_tiles_cuda.h"

namespace sg_keras {
namespace cuda {

constexpr int kFourTaps = 4;

// Where tiles begin, o * down - pad is a multiple of up, so that the phase of each result in a strip is a constant.
template <int kUp, int kDown>
struct Strip {
  static constexpr int kTaps = (kFourTaps + kUp - 1) / kUp;  // of a phase

  // First input of result o, counted from the strip's, and its tap.
  __host__ __device__ static constexpr int Start(int o) { return (o * kDown + kUp - 1) / kUp; }
  __host__ __device__ static constexpr int Phase(int o) { return Start(o) * kUp - o * kDown; }
  __host__ __device__ static constexpr int Inputs(int results) { return Start(results - 1) + kTaps; }
};

// Sizes of tiles: nearly all threads have work in both passes, and the shared memory stays below 48 KB.
template <int kUp, int kDown>
struct FourTapTile;
template <>
struct FourTapTile<1, 1> {
  static constexpr int kHeight = 8, kWidth = 28, kStripY = 4, kStripX = 4;
};
template <>
struct FourTapTile<2, 1> {
  static constexpr int kHeight = 16, kWidth = 28, kStripY = 8, kStripX = 4;
};
template <>
struct FourTapTile<1, 2> {
  static constexpr int kHeight = 8, kWidth = 14, kStripY = 4, kStripX = 2;
};

struct FourTaps {
  float y[kFourTaps];
  float x[kFourTaps];
};

template <int kUp, int kDown, int kResults, int kPack>
__device__ __forceinline__ void FilterStrip(const float* taps, const float (*inputs)[kPack],
                                            float (*results)[kPack]) {
  using S = Strip<kUp, kDown>;
  SG_KERAS_UNROLL
  for (int o = 0; o < kResults; ++o) {
    SG_KERAS_UNROLL
    for (int i = 0; i < kPack; ++i) {
      float sum = 0;
      SG_KERAS_UNROLL
      for (int t = 0; t < S::kTaps; ++t) {
        if (S::Phase(o) + t * kUp < kFourTaps) sum += taps[S::Phase(o) + t * kUp] * inputs[S::Start(o) + t][i];
      }
      results[o][i] = sum;
    }
  }
}

template <typename T, int kPack, int kUp, int kDown>
__global__ void __launch_bounds__(kTileThreads) FourTapsKernel(Tiles tiles, Axis axis_y, Axis axis_x, FourTaps taps,
                                                               const T* x, T* y) {
  using S = Strip<kUp, kDown>;
  using Tile = FourTapTile<kUp, kDown>;
  constexpr int kColumns = S::Inputs(Tile::kWidth);
  constexpr int kInputsY = S::Inputs(Tile::kStripY);
  constexpr int kInputsX = S::Inputs(Tile::kStripX);
  SG_KERAS_DYNAMIC_SHARED(float, shared);  // [tile's height][columns][channels]
  const int pixel = tiles.lanes * kPack;
  for (int64_t tile = blockIdx.x; tile < tiles.Count(); tile += gridDim.x) {
    const TilePlace place = PlaceOf(tiles, tile, kPack);
    const bool works = place.channel < tiles.channels;
    const int64_t first_row = (place.y * kDown - axis_y.pad) / kUp;  // without remainder
    const int64_t first_column = (place.x * kDown - axis_x.pad) / kUp;
    const T* image = x + place.image * axis_y.size * axis_x.size * tiles.channels + place.channel;
    for (int item = threadIdx.y; works && item < kColumns * (Tile::kHeight / Tile::kStripY); item += tiles.slots) {
      const int column = item % kColumns;
      const int strip = item / kColumns;
      const int64_t source_x = first_column + column;
      const int64_t source_y = first_row + S::Start(strip * Tile::kStripY);
      float inputs[kInputsY][kPack] = {};
      SG_KERAS_UNROLL
      for (int i = 0; i < kInputsY; ++i) {
        const int64_t row = source_y + i;
        if (source_x < 0 || source_x >= axis_x.size || row < 0 || row >= axis_y.size) continue;
        LoadPack<kPack>(image + (row * axis_x.size + source_x) * tiles.channels, inputs[i]);
      }
      float results[Tile::kStripY][kPack];
      FilterStrip<kUp, kDown, Tile::kStripY, kPack>(taps.y, inputs, results);
      float* target = shared + (strip * Tile::kStripY * kColumns + column) * pixel + threadIdx.x * kPack;
      SG_KERAS_UNROLL
      for (int o = 0; o < Tile::kStripY; ++o) StorePack<kPack>(results[o], target + o * kColumns * pixel);
    }
    __syncthreads();
    constexpr int kStrips = Tile::kWidth / Tile::kStripX;
    T* result = y + place.image * axis_y.result_size * axis_x.result_size * tiles.channels + place.channel;
    for (int item = threadIdx.y; works && item < kStrips * Tile::kHeight; item += tiles.slots) {
      const int strip = item % kStrips * Tile::kStripX;
      const int64_t row = place.y + item / kStrips;
      if (row < 0 || row >= axis_y.result_size) continue;
      const float* source = shared + (item / kStrips * kColumns + S::Start(strip)) * pixel + threadIdx.x * kPack;
      float inputs[kInputsX][kPack];
      SG_KERAS_UNROLL
      for (int i = 0; i < kInputsX; ++i) LoadPack<kPack>(source + i * pixel, inputs[i]);
      float results[Tile::kStripX][kPack];
      FilterStrip<kUp, kDown, Tile::kStripX, kPack>(taps.x, inputs, results);
      SG_KERAS_UNROLL
      for (int o = 0; o < Tile::kStripX; ++o) {
        const int64_t column = place.x + strip + o;
        if (column < 0 || column >= axis_x.result_size) continue;
        StorePack<kPack>(results[o], result + (row * axis_x.result_size + column) * tiles.channels);
      }
    }
    __syncthreads();
  }
}

// The last place up to 0 where a tile may begin.
inline int64_t FirstTile(const Axis& axis) {
  for (int64_t o = 0;; --o) {
    if ((o * axis.down - axis.pad) % axis.up == 0) return o;
  }
}

template <typename T, int kPack, int kUp, int kDown>
void LaunchFourTaps(int64_t images, int64_t channels, const Axis& axis_y, const Axis& axis_x, const FourTaps& taps,
                    const T* x, T* y, void* stream) {
  using Tile = FourTapTile<kUp, kDown>;
  const Tiles tiles = CutTiles(images, channels, kPack, axis_y, axis_x, Tile::kHeight, Tile::kWidth,
                               FirstTile(axis_y), FirstTile(axis_x));
  const int columns = Strip<kUp, kDown>::Inputs(Tile::kWidth);
  const size_t bytes = sizeof(float) * Tile::kHeight * columns * tiles.lanes * kPack;
  SG_KERAS_LAUNCH((FourTapsKernel<T, kPack, kUp, kDown>), tiles.Grid(), tiles.Block(), bytes, stream, tiles, axis_y,
                  axis_x, taps, x, y);
}

}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_FOUR_TAPS_CUDA_H_
