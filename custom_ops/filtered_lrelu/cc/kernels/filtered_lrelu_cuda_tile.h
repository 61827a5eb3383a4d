// How filtered_lrelu's work is cut into tiles on GPUs, and what a kernel is told.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_TILE_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_TILE_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_images.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

constexpr int kTileThreads = 256;
constexpr int kMostTaps = 1024;  // of a filter, as it is padded

// One axis of the whole call. Filters are padded with zeros after their last tap: `up_taps` counts taps a phase.
struct Axis {
  int input;
  int internal;
  int output;
  int pad_up;
  int pad_down;
  int up_taps;
  int down_taps;
  int tile;  // results of a tile
};

// One axis of a tile: results, the internal pixels that they take, and the inputs that those take. Internal pixels come
// in groups: the `up` of group g take inputs g .. g + up_taps - 1, and end with internal pixel g * up + group_base.
struct Span {
  int output;  // first
  int outputs;
  int internal;  // first; may be outside of the image, where internal pixels are 0
  int internals;
  int owned;  // so many of them have their mask written by this tile
  int input;
  int inputs;
  int group_base;
  int groups;
};

__host__ __device__ __forceinline__ Span SpanOf(const Axis& axis, int up, int down, int tile) {
  Span span;
  span.output = tile * axis.tile;
  span.outputs = axis.output - span.output < axis.tile ? axis.output - span.output : axis.tile;
  span.internal = span.output * down - axis.pad_down;
  span.internals = (span.outputs - 1) * down + axis.down_taps;
  span.owned = span.output + span.outputs < axis.output ? span.outputs * down : span.internals;
  const int position = span.internal - axis.pad_up;
  span.input = -FloorDivide(-position, up);
  span.group_base = span.input * up - position;
  span.groups = (span.internals - 2 - span.group_base + up) / up + 1;
  span.inputs = span.groups + axis.up_taps - 1;
  return span;
}

// Rows of internal pixels are kept by their remainder by `down`: rows that neighbouring results start from then lie one
// odd number of pixels apart, which spreads them over the banks of shared memory.
struct InternalRows {
  int down;
  int of_a_phase;

  __device__ __forceinline__ int operator()(int row) const { return row % down * of_a_phase + row / down; }
};

// Numbers in shared memory, and where they begin. Pixels are kLanes numbers; rows have odd numbers of pixels.
struct TileLayout {
  int up_taps;    // the filters
  int down_taps;  // likewise
  int internals;  // [InternalRows][internal_width]
  int inputs;     // [rows][input_width]; dead when `columns` and `internals` are there
  int columns;    // upsampled vertically, [InternalRows][input_width]
  int lines;      // downsampled horizontally, [InternalRows][line_width]; in the place of inputs and columns
  int internal_width;
  int input_width;
  int line_width;
  int rows_of_a_phase;
  int total;
};

template <typename A>
struct TileCall {
  Images input;
  Images output;
  int up;
  int down;
  bool up_separable;
  bool down_separable;
  bool has_clamp;
  A slope;
  A clamp;
  Axis y;
  Axis x;
  int tiles_y;
  int tiles_x;
  int channel_blocks;
  int64_t blocks;
  TileLayout layout;
  uint32_t* mask;
  A* sums;  // [blocks / channel_blocks][channels] of a tile each; null: not wanted
  int up_count;
  int down_count;
  A up_weights[kMostTaps];    // separable: [phase][tap] of the rows, then of the columns; else [phase][tap][phase][tap]
  A down_weights[kMostTaps];  // separable: those of the rows, then of the columns; else a matrix
};

struct Tile {
  int64_t number;  // among those of all images
  int64_t image;
  int channel;  // first
  Span y;
  Span x;
};

template <typename A>
__device__ __forceinline__ Tile TileOf(const TileCall<A>& call, int64_t block) {
  Tile tile;
  tile.channel = static_cast<int>(block % call.channel_blocks) * kLanes;
  tile.number = block / call.channel_blocks;
  const int tiles = call.tiles_y * call.tiles_x;
  const int place = static_cast<int>(tile.number % tiles);
  tile.image = tile.number / tiles;
  tile.y = SpanOf(call.y, call.up, call.down, place / call.tiles_x);
  tile.x = SpanOf(call.x, call.up, call.down, place % call.tiles_x);
  return tile;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_TILE_H_
