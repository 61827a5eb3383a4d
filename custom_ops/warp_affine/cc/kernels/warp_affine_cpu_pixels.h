// Where the pixels of a warp lie, for a run of them at once; and vectors for RGB pixels.

#ifndef CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_PIXELS_H_
#define CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_PIXELS_H_

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/processor.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_cpu.h"

namespace sg_keras {
namespace warp_affine {

constexpr int64_t kPixelBlock = 64;    // pixels whose positions are computed together
constexpr int64_t kPixelVector = 16;   // in multiples of so many, which leaves compilers no rest to do one by one
constexpr int64_t kChannelBlock = 64;  // channels of a sum kept beside the images

// ------------------------------------------------------------------------------------------ four numbers at once
//
// Explicit, because what is added to memory pixel by pixel must be read back in the same pieces: a processor stalls on
// loads that overlap a recent store in part, which is what automatic vectorisation makes of these loops.

template <typename A>
struct Four;
template <>
struct Four<float> {
  typedef float Type __attribute__((vector_size(16)));
};
template <>
struct Four<double> {
  typedef double Type __attribute__((vector_size(32)));
};
template <typename A>
using FourOf = typename Four<A>::Type;

template <typename A>
SG_KERAS_INLINE void LoadFour(const A* source, FourOf<A>* value) {
  std::memcpy(value, source, sizeof(*value));
}

typedef uint16_t FourShorts __attribute__((vector_size(8)));
typedef uint32_t FourWords __attribute__((vector_size(16)));

SG_KERAS_INLINE void LoadFour(const BFloat16Bits* source, FourOf<float>* value) {
  FourShorts bits;
  std::memcpy(&bits, source, sizeof(bits));
  const FourWords wide = __builtin_convertvector(bits, FourWords) << 16;
  std::memcpy(value, &wide, sizeof(wide));
}

template <typename A>
SG_KERAS_INLINE void StoreFour(const FourOf<A>& value, A* target) {
  std::memcpy(target, &value, sizeof(value));
}

// As Store() of one number.
SG_KERAS_INLINE void StoreFour(const FourOf<float>& value, BFloat16Bits* target) {
  FourWords bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const FourWords rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const auto is_nan = value != value;
  const FourWords words = (is_nan ? (bits | 0x400000) : rounded) >> 16;
  const FourShorts shorts = __builtin_convertvector(words, FourShorts);
  std::memcpy(target, &shorts, sizeof(shorts));
}

// ------------------------------------------------------------------------------------------ positions

// A run of pixels of one row of the result: from column `first` on.
struct PixelRun {
  int64_t row;
  int64_t first;
  int64_t count;
};

// Rows and columns of the image, from begin to end - 1, of something whose rows are `pitch` pixels apart.
struct Window {
  int64_t row_begin;
  int64_t row_end;
  int64_t column_begin;
  int64_t column_end;
  int64_t pitch;
};

// The neighbours (row, column) to (row + 1, column + 1) between which the pixels of a run lie, and their weights.
// Positions further outside than one pixel, or not finite, are moved to where no neighbour is in the image.
template <typename A>
struct Neighbours {
  int32_t row[kPixelBlock];
  int32_t column[kPixelBlock];
  bool all_inside;              // all of them in a window
  int32_t offset[kPixelBlock];  // of the top left one from the first pixel of a window; -1 where it is not in that
  A lower[kPixelBlock];         // distance from the upper row
  A right[kPixelBlock];         // and from the left column
  A weights[kPixelBlock * 4];   // of each pixel's top left, top right, bottom left and bottom right neighbour
};

// Counts from the centre of `size` pixels.
SG_KERAS_INLINE double FromCentre(int64_t index, int64_t size) { return index + 0.5 * (1 - size); }

// A position on an axis as a whole number and a rest, from where steps of less precision are exact enough: for pixels
// first..first + kPixelBlock - 1 of a row. Far from any image both are limited; what is not finite is far away, too.
template <typename A>
struct Start {
  int32_t whole;
  A rest;
  A step;
};

template <typename A>
SG_KERAS_INLINE Start<A> StartOf(const AffinePosition& axis, double u, double v) {
  constexpr double kFar = 1 << 29;
  constexpr double kLongStep = 1 << 20;  // from pixel to pixel, right across the largest image
  const double position = axis.column_step * u + (axis.row_step * v + axis.offset);
  const double step = std::max(-kLongStep, std::min(axis.column_step, kLongStep));
  if (!(position > -kFar && position < kFar)) return {-static_cast<int32_t>(kFar), A(0), A(0)};
  int32_t whole = static_cast<int32_t>(position);
  whole -= position < whole;
  return {whole, static_cast<A>(position - whole), static_cast<A>(step)};
}

SG_KERAS_INLINE int32_t RoundUp(int64_t count) {
  return static_cast<int32_t>((count + kPixelVector - 1) / kPixelVector * kPixelVector);
}

template <typename A>
SG_KERAS_INLINE void LocateOnAxis(const Start<A>& start, int32_t skipped, int32_t count, int32_t* __restrict__ index,
                                  A* __restrict__ rest) {
  for (int32_t p = 0; p < count; ++p) {
    const A position = start.rest + start.step * static_cast<A>(skipped + p);
    int32_t whole = static_cast<int32_t>(position);
    whole -= position < static_cast<A>(whole);
    index[p] = start.whole + whole;
    rest[p] = position - static_cast<A>(whole);
  }
}

// Where the pixels of a run lie; it must not cross a multiple of kPixelBlock.
template <typename A>
SG_KERAS_INLINE void Locate(const AffineMap& map, const WarpGeometry& g, const PixelRun& run, const Window& window,
                            Neighbours<A>* __restrict__ n) {
  const int32_t skipped = static_cast<int32_t>(run.first % kPixelBlock);
  const int32_t count = RoundUp(run.count);
  const double u = FromCentre(run.first - skipped, g.output_width);
  const double v = FromCentre(run.row, g.output_height);
  LocateOnAxis(StartOf<A>(map.x, u, v), skipped, count, n->column, n->right);
  LocateOnAxis(StartOf<A>(map.y, u, v), skipped, count, n->row, n->lower);
  const int32_t height = static_cast<int32_t>(window.row_end - window.row_begin);
  const int32_t width = static_cast<int32_t>(window.column_end - window.column_begin);
  const int32_t first_row = static_cast<int32_t>(window.row_begin);
  const int32_t first_column = static_cast<int32_t>(window.column_begin);
  const uint32_t pitch = static_cast<uint32_t>(window.pitch);
  for (int32_t p = 0; p < count; ++p) {
    const int32_t row = n->row[p] - first_row;
    const int32_t column = n->column[p] - first_column;
    // Negative where one of these is; branches would keep the loop from being vectorised.
    const int32_t outside = (row | (height - 1 - row) | column | (width - 1 - column)) >> 31;
    const uint32_t offset = static_cast<uint32_t>(row) * pitch + static_cast<uint32_t>(column);
    n->offset[p] = static_cast<int32_t>(offset) | outside;
  }
  int32_t any_outside = 0;
  for (int32_t p = 0; p < static_cast<int32_t>(run.count); ++p) any_outside |= n->offset[p];
  n->all_inside = any_outside >= 0;
}

template <typename A>
SG_KERAS_INLINE void Weigh(int64_t pixels, Neighbours<A>* __restrict__ n) {
  const int32_t count = RoundUp(pixels);
  for (int32_t p = 0; p < count; ++p) {
    const A right = n->right[p];
    const A lower = n->lower[p];
    n->weights[p * 4] = (1 - lower) * (1 - right);
    n->weights[p * 4 + 1] = (1 - lower) * right;
    n->weights[p * 4 + 2] = lower * (1 - right);
    n->weights[p * 4 + 3] = lower * right;
  }
}

SG_KERAS_INLINE bool IsIndex(int64_t index, int64_t size) { return index >= 0 && index < size; }

}  // namespace warp_affine
}  // namespace sg_keras

#endif  // CUSTOM_OPS_WARP_AFFINE_CC_KERNELS_WARP_AFFINE_CPU_PIXELS_H_
