// The arithmetic of filtered_lrelu on channels-last images, free of TensorFlow.
//
// One map serves forward and backward: upsample the input to internal pixels, multiply them by slopes, downsample.
// Forward, the slopes are those of clamp(gain * leaky_relu(.)), and are written to a mask; otherwise they are read from
// it, which makes the map linear. Images are computed in tiles: 16 channels of a rectangle of the result at a time,
// streaming over rows, so that internal pixels never leave the cache.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_H_

#include <cstdint>
#include <vector>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

namespace sg_keras {

constexpr int64_t kFilteredLreluBlock = 16;  // channels that are computed, and have their mask bits, together

// A filter that is correlated with an image: the product of rows (vertical) and columns, or a matrix, row by row.
struct FilterTaps {
  int64_t height = 1;
  int64_t width = 1;
  std::vector<double> rows;
  std::vector<double> columns;
  std::vector<double> matrix;  // empty: separable
};

struct FilteredLreluParameters {
  int64_t up;
  int64_t down;
  FilterTaps up_filter;
  FilterTaps down_filter;
  double gain;
  double slope;
  double clamp;
};

// internal[u] = sum over j of up_filter[j] * upsampled[u + j - pad_up], `upsampled` being the input with up-1 zeros
// after each pixel; output[o] = sum over j of down_filter[j] * internal[o * down + j - pad_down]; zeros outside.
struct FilteredLreluAxis {
  int64_t input_size;
  int64_t internal_size;
  int64_t output_size;
  int64_t pad_up;
  int64_t pad_down;
};

// Everything about a call but the images. A is the type of the arithmetic.
template <typename A>
struct FilteredLreluPlan {
  FilteredLreluPlan(const FilteredLreluParameters& parameters, const FilteredLreluAxis& y, const FilteredLreluAxis& x,
                    int64_t images, int64_t channels);

  FilteredLreluAxis y;
  FilteredLreluAxis x;
  int64_t images;
  int64_t channels;
  int64_t blocks;
  int64_t up;
  int64_t down;

  // Upsampling: internal pixels come in groups of `up` that depend on the same inputs, so many in each axis.
  int64_t up_taps_y;
  int64_t up_taps_x;
  std::vector<A> up_rows;     // [pixel of the group][tap]; the gain's absolute value is in these
  std::vector<A> up_columns;  // likewise
  std::vector<A> up_matrix;   // [row of the group][column of the group][tap y][tap x]; empty: separable

  int64_t down_taps_y;
  int64_t down_taps_x;
  std::vector<A> down_rows;  // the gain's sign is in these
  std::vector<A> down_columns;
  std::vector<A> down_matrix;

  // 12x12 filters for a factor of 2 that are symmetric in both axes are applied to sums and differences of mirrored
  // pixels, which takes a quarter of the multiplications. Empty: not of this kind.
  std::vector<A> up_folded;    // [even or odd y][even or odd x][3][3]
  std::vector<A> down_folded;  // [6][6]

  A slope;
  A clamp;
  bool has_clamp;

  // How the result is divided into tiles: into strips of columns by its size alone, into bands of rows as wished.
  int64_t strips;
};

// Internal pixels, inputs and groups that a range of the result takes, along one axis.
struct FilteredLreluRange {
  FilteredLreluRange(const FilteredLreluAxis& axis, int64_t up, int64_t up_taps, int64_t down, int64_t down_taps,
                     int64_t begin, int64_t end);

  int64_t output_begin;
  int64_t output_end;
  int64_t internal_begin;  // internal pixels that are needed, all inside the image
  int64_t internal_end;
  int64_t group_begin;  // group g depends on inputs g .. g + up_taps - 1
  int64_t group_end;
  int64_t first_of_group;  // internal pixel at which group_begin starts; may be before internal_begin
  int64_t line_begin;      // a line of internal pixels with all zeros that are read, too
  int64_t line_end;
};

template <typename T>
struct FilteredLreluTile {
  using Number = typename Computation<T>::Type;

  const T* input;       // of the image, at the block's first channel
  const Number* bias;   // [16]; null: no bias
  T* output;            // of the image, at the block's first channel
  uint32_t* mask;       // [internal y][internal x]: bit c: channel c of the block not above 0, bit 16 + c: clamped
  Number* row_sums;     // [output y][16] sums over the columns of the tile; null: not wanted
  int64_t channels;     // of the block, up to 16
  bool forward;         // the mask is written
  FilteredLreluRange y;
  FilteredLreluRange x;
};

// One call: images in, images out.
template <typename T>
class FilteredLrelu {
 public:
  using Number = typename Computation<T>::Type;

  // `masked`: slopes are read from the mask instead of written to it. At least `least_tiles` tiles where that is easy.
  FilteredLrelu(const FilteredLreluPlan<Number>& plan, bool masked, int64_t least_tiles);

  int64_t tiles() const { return plan_.images * plan_.blocks * plan_.strips * bands_; }

  // Computes tiles begin..end-1, each independently of the others. bias: [channels] or null. mask: [images, blocks,
  // internal y, internal x]. sums: [SumRows(), 16] or null.
  void Tiles(const T* input, const T* bias, int64_t begin, int64_t end, T* output, uint32_t* mask, Number* sums) const;

  // Sums of the results over everything but channels come in parts, one a row, strip, block and image.
  int64_t SumRows() const { return plan_.images * plan_.blocks * plan_.strips * plan_.y.output_size; }
  void AddSums(const Number* sums, T* total) const;

 private:
  const FilteredLreluPlan<Number>& plan_;
  bool masked_;
  int64_t bands_;
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_H_
