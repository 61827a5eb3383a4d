// What a block of threads does to a tile of filtered_lrelu in shared memory, pass by pass. Passes are for factors known
// to the compiler, with 6 taps a phase, or, kUp or kDown being 0, for any.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_PASSES_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_PASSES_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_tile.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

template <typename A>
__device__ __forceinline__ void LoadInputs(const TileCall<A>& call, const Tile& tile, A* inputs) {
  const Window window{tile.image, tile.channel, tile.y.input, tile.x.input, tile.y.inputs, tile.x.inputs};
  LoadWindow<kTileThreads>(call.input, window, call.layout.input_width, inputs);
}

// Stores a result of this thread's channel unless it lies outside; returns what it adds to the channel's sum.
template <typename A>
__device__ __forceinline__ A PutOutput(const TileCall<A>& call, const Tile& tile, int row, int column, A value) {
  if (row >= tile.y.outputs || column >= tile.x.outputs) return A(0);
  const int channel = tile.channel + static_cast<int>(threadIdx.x) % kLanes;
  return PutPixel(call.output, tile.image, tile.y.output + row, tile.x.output + column, channel, value);
}

// ------------------------------------------------------------------------------------------ upsampling

// How pixels of a pass are laid out along and across its direction.
struct Strides {
  int line;
  int step;
};

// One group of internal pixels from its window of inputs. `put(phase, value)`: phase 0 is the last of the group.
template <int kUp, typename A, typename Put>
__device__ __forceinline__ void UpsampleGroup(const A (&weights)[kUp][kTapsOfAPhase], const A* source, int step,
                                              const Put& put) {
  A window[kTapsOfAPhase];
  SG_KERAS_UNROLL
  for (int t = 0; t < kTapsOfAPhase; ++t) window[t] = source[t * step];
  SG_KERAS_UNROLL
  for (int p = 0; p < kUp; ++p) {
    A sum = 0;
    SG_KERAS_UNROLL
    for (int t = 0; t < kTapsOfAPhase; ++t) sum += weights[p][t] * window[t];
    put(p, sum);
  }
}

// Upsamples `lines` lines along one axis. `put(line, internal pixel, value)` where `span` has that pixel.
template <int kUp, typename A, typename Source, typename Put>
__device__ __forceinline__ void UpsampleAxis(const A* taps, int any_up, int any_taps, const Span& span, int lines,
                                             int step, const Source& source, const Put& put) {
  if constexpr (kUp > 0) {
    A weights[kUp][kTapsOfAPhase];
    SG_KERAS_UNROLL
    for (int i = 0; i < kUp * kTapsOfAPhase; ++i) weights[i / kTapsOfAPhase][i % kTapsOfAPhase] = taps[i];
    for (Walk<kLanes, kTileThreads> at(lines); at.run < span.groups; at.Next()) {
      const int last = at.run * kUp + span.group_base;
      UpsampleGroup<kUp>(weights, source(at.line) + at.run * step, step, [&](int phase, A value) {
        if (last - phase >= 0 && last - phase < span.internals) put(at.line, last - phase, value);
      });
    }
  } else {
    for (Walk<kLanes, kTileThreads> at(lines); at.run < span.internals; at.Next()) {
      const int group = (at.run - span.group_base + any_up - 1) / any_up;
      const int phase = group * any_up + span.group_base - at.run;
      const A* pixel = source(at.line) + group * step;
      A sum = 0;
      for (int t = 0; t < any_taps; ++t) sum += taps[phase * any_taps + t] * pixel[t * step];
      put(at.line, at.run, sum);
    }
  }
}

template <int kUp, typename A>
__device__ __forceinline__ void UpsampleSeparable(const TileCall<A>& call, const Tile& tile, const InternalRows& rows,
                                                  A* shared) {
  const TileLayout& at = call.layout;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const A* inputs = shared + at.inputs + lane;
  A* columns = shared + at.columns + lane;
  A* internals = shared + at.internals + lane;
  const int stride = at.input_width * kLanes;
  const A* taps = shared + at.up_taps;
  UpsampleAxis<kUp>(
      taps, call.up, call.y.up_taps, tile.y, tile.x.inputs, stride,
      [&](int column) { return inputs + column * kLanes; },
      [&](int column, int row, A value) { columns[rows(row) * stride + column * kLanes] = value; });
  __syncthreads();
  UpsampleAxis<kUp>(
      taps + call.up * call.y.up_taps, call.up, call.x.up_taps, tile.x, tile.y.internals, kLanes,
      [&](int row) { return columns + rows(row) * stride; },
      [&](int row, int column, A value) { internals[(rows(row) * at.internal_width + column) * kLanes] = value; });
}

// Numbers that all threads read at once from shared memory, by words.
template <int kCount>
__device__ __forceinline__ void LoadWeights(const float* source, float* weights) {
  static_assert(kCount % 4 == 0, "whole words");
  SG_KERAS_UNROLL
  for (int i = 0; i < kCount; i += 4) LoadPack<4>(source + i, weights + i);
}

constexpr int kMatrixUpRun = 16;  // internal pixels of a row that a thread computes together

// A row's run of internal pixels, by a matrix. The weights of a tap's row are in registers for all of them.
template <int kUp, typename A>
__device__ __forceinline__ void UpsampleMatrixRun(const A* weights, const A* source, int stride, A* sums) {
  constexpr int kGroups = kMatrixUpRun / kUp;
  for (int tap_row = 0; tap_row < kTapsOfAPhase; ++tap_row) {
    A w[kUp * kTapsOfAPhase];
    LoadWeights<kUp * kTapsOfAPhase>(weights + tap_row * kUp * kTapsOfAPhase, w);
    SG_KERAS_UNROLL
    for (int i = 0; i < kGroups + kTapsOfAPhase - 1; ++i) {
      const A x = source[tap_row * stride + i * kLanes];
      SG_KERAS_UNROLL
      for (int t = 0; t < kTapsOfAPhase; ++t) {
        if (i - t < 0 || i - t >= kGroups) continue;
        SG_KERAS_UNROLL
        for (int p = 0; p < kUp; ++p) sums[(i - t) * kUp + p] += w[p * kTapsOfAPhase + t] * x;
      }
    }
  }
}

// An internal pixel by a matrix of any size.
template <typename A>
__device__ __forceinline__ A UpsampleMatrixPixel(const TileCall<A>& call, const A* weights, int phase,
                                                 const A* source) {
  A sum = 0;
  for (int tap_row = 0; tap_row < call.y.up_taps; ++tap_row) {
    const A* w = weights + (tap_row * call.up + phase) * call.x.up_taps;
    const A* x = source + tap_row * call.layout.input_width * kLanes;
    for (int t = 0; t < call.x.up_taps; ++t) sum += w[t] * x[t * kLanes];
  }
  return sum;
}

template <int kUp, typename A>
__device__ __forceinline__ void UpsampleMatrix(const TileCall<A>& call, const Tile& tile, const InternalRows& rows,
                                               A* shared) {
  const TileLayout& layout = call.layout;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int up = kUp > 0 ? kUp : call.up;
  const int stride = layout.input_width * kLanes;
  const int runs = kUp > 0 ? DivideUp(tile.x.groups * up, kMatrixUpRun) : tile.x.internals;
  for (Walk<kLanes, kTileThreads> at(tile.y.internals); at.run < runs; at.Next()) {
    const int group = (at.line - tile.y.group_base + up - 1) / up;
    const int phase = group * up + tile.y.group_base - at.line;
    const A* weights = shared + layout.up_taps + phase * call.y.up_taps * up * call.x.up_taps;
    const A* source = shared + layout.inputs + lane + group * stride;
    A* target = shared + layout.internals + lane + rows(at.line) * layout.internal_width * kLanes;
    if constexpr (kUp > 0) {
      const int first = at.run * (kMatrixUpRun / kUp);
      A sums[kMatrixUpRun] = {};
      UpsampleMatrixRun<kUp>(weights, source + first * kLanes, stride, sums);
      SG_KERAS_UNROLL
      for (int i = 0; i < kMatrixUpRun; ++i) {
        const int column = (first + i / kUp) * kUp + tile.x.group_base - i % kUp;
        if (column >= 0 && column < tile.x.internals) target[column * kLanes] = sums[i];
      }
    } else {
      const int across = (at.run - tile.x.group_base + up - 1) / up;
      const int phase_x = across * up + tile.x.group_base - at.run;
      target[at.run * kLanes] = UpsampleMatrixPixel(call, weights, phase_x, source + across * kLanes);
    }
  }
}

// ------------------------------------------------------------------------------------------ slopes

// Multiplies a pixel's channels by their slopes; returns its bits of the mask, those of negatives in the lower half.
template <typename A>
__device__ __forceinline__ uint32_t ActivatePixel(const TileCall<A>& call, A* pixel) {
  uint32_t bits = 0;
  SG_KERAS_UNROLL
  for (int c = 0; c < kLanes; ++c) {
    A value = pixel[c];
    if (!(value > 0)) {
      bits |= 1u << c;
      value *= call.slope;
    }
    if (call.has_clamp) {
      A limited = value < -call.clamp ? -call.clamp : value;  // NaN stays NaN
      limited = limited > call.clamp ? call.clamp : limited;
      if (limited != value) bits |= 1u << (kMaskChannels + c);
      value = limited;
    }
    pixel[c] = value;
  }
  return bits;
}

template <typename A>
__device__ __forceinline__ void MultiplyPixel(const TileCall<A>& call, uint32_t bits, A* pixel) {
  SG_KERAS_UNROLL
  for (int c = 0; c < kLanes; ++c) {
    A value = pixel[c];
    if (bits >> c & 1) value *= call.slope;
    pixel[c] = bits >> (kMaskChannels + c) & 1 ? A(0) : value;
  }
}

// The 8 channels of a tile have a byte in each half of a word of the mask.
__device__ __forceinline__ void WriteMask(uint32_t* word, int first_bit, bool whole, uint32_t bits) {
  if (whole) {
    *word = bits;
  } else {
    uint8_t* bytes = reinterpret_cast<uint8_t*>(word) + first_bit / 8;
    bytes[0] = static_cast<uint8_t>(bits);
    bytes[2] = static_cast<uint8_t>(bits >> kMaskChannels);
  }
}

template <bool kMasked, typename A>
__device__ __forceinline__ void Activate(const TileCall<A>& call, const Tile& tile, const InternalRows& rows,
                                         A* internals) {
  const int64_t image_block = tile.image * DivideUp(call.input.channels, kMaskChannels) + tile.channel / kMaskChannels;
  uint32_t* words = call.mask + image_block * call.y.internal * call.x.internal;
  const int first_bit = tile.channel % kMaskChannels;
  const bool whole = first_bit == 0 && tile.channel + kLanes >= call.input.channels;
  for (Walk<1, kTileThreads> at(tile.x.internals); at.run < tile.y.internals; at.Next()) {
    const int row = tile.y.internal + at.run;
    const int column = tile.x.internal + at.line;
    A* pixel = internals + (rows(at.run) * call.layout.internal_width + at.line) * kLanes;
    if (row < 0 || row >= call.y.internal || column < 0 || column >= call.x.internal) {
      SG_KERAS_UNROLL
      for (int c = 0; c < kLanes; ++c) pixel[c] = 0;
      continue;
    }
    uint32_t* word = words + int64_t{row} * call.x.internal + column;
    if (kMasked) {
      MultiplyPixel(call, *word >> first_bit, pixel);
    } else {
      const uint32_t bits = ActivatePixel(call, pixel);
      if (at.run < tile.y.owned && at.line < tile.x.owned) WriteMask(word, first_bit, whole, bits);
    }
  }
}

// ------------------------------------------------------------------------------------------ downsampling

constexpr int kDownRun = 4;  // neighbouring results that a thread computes together

// sums[o] = sum over j of weights[j] * source(o * kDown + j).
template <int kDown, int kResults, typename A, typename Source>
__device__ __forceinline__ void AddRun(const A* weights, const Source& source, A* sums) {
  constexpr int kTaps = kDown * kTapsOfAPhase;
  SG_KERAS_UNROLL
  for (int i = 0; i < (kResults - 1) * kDown + kTaps; ++i) {
    const A x = source(i);
    SG_KERAS_UNROLL
    for (int o = 0; o < kResults; ++o) {
      if (i >= o * kDown && i < o * kDown + kTaps) sums[o] += weights[i - o * kDown] * x;
    }
  }
}

// Downsamples `lines` lines to `results` pixels along one axis: `source(line, pixel)`, `put(line, result, value)`. The
// last run of a line may have results beyond the last.
template <int kDown, typename A, typename Source, typename Put>
__device__ __forceinline__ void DownsampleAxis(const A* taps, int any_down, int any_taps, int results, int lines,
                                               const Source& source, const Put& put) {
  if constexpr (kDown > 0) {
    A weights[kDown * kTapsOfAPhase];
    SG_KERAS_UNROLL
    for (int j = 0; j < kDown * kTapsOfAPhase; ++j) weights[j] = taps[j];
    for (Walk<kLanes, kTileThreads> at(lines); at.run * kDownRun < results; at.Next()) {
      A sums[kDownRun] = {};
      const int first = at.run * kDownRun;
      AddRun<kDown, kDownRun>(weights, [&](int i) { return source(at.line, first * kDown + i); }, sums);
      SG_KERAS_UNROLL
      for (int o = 0; o < kDownRun; ++o) put(at.line, first + o, sums[o]);
    }
  } else {
    for (Walk<kLanes, kTileThreads> at(lines); at.run < results; at.Next()) {
      A sum = 0;
      for (int j = 0; j < any_taps; ++j) sum += taps[j] * source(at.line, at.run * any_down + j);
      put(at.line, at.run, sum);
    }
  }
}

template <int kDown, typename A>
__device__ __forceinline__ A DownsampleSeparable(const TileCall<A>& call, const Tile& tile, const InternalRows& rows,
                                                 A* shared) {
  const TileLayout& at = call.layout;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const A* internals = shared + at.internals + lane;
  A* lines = shared + at.lines + lane;
  const A* taps = shared + at.down_taps;
  DownsampleAxis<kDown>(
      taps + call.y.down_taps, call.down, call.x.down_taps, tile.x.outputs, tile.y.internals,
      [&](int row, int column) { return internals[(rows(row) * at.internal_width + column) * kLanes]; },
      [&](int row, int column, A value) { lines[(rows(row) * at.line_width + column) * kLanes] = value; });
  __syncthreads();
  A total = 0;
  DownsampleAxis<kDown>(
      taps, call.down, call.y.down_taps, tile.y.outputs, tile.x.outputs,
      [&](int column, int row) { return lines[(rows(row) * at.line_width + column) * kLanes]; },
      [&](int column, int row, A value) { total += PutOutput(call, tile, row, column, value); });
  return total;
}

constexpr int kMatrixDownRun = 8;

template <int kDown, typename A>
__device__ __forceinline__ A DownsampleMatrix(const TileCall<A>& call, const Tile& tile, const InternalRows& rows,
                                              const A* shared) {
  const TileLayout& layout = call.layout;
  const int down = kDown > 0 ? kDown : call.down;
  constexpr int kRun = kDown > 0 ? kMatrixDownRun : 1;
  const A* internals = shared + layout.internals + static_cast<int>(threadIdx.x) % kLanes;
  const A* taps = shared + layout.down_taps;
  A total = 0;
  for (Walk<kLanes, kTileThreads> at(tile.y.outputs); at.run * kRun < tile.x.outputs; at.Next()) {
    A sums[kRun] = {};
    for (int tap_row = 0; tap_row < call.y.down_taps; ++tap_row) {
      const int row = rows(at.line * down + tap_row);
      const A* line = internals + (row * layout.internal_width + at.run * kRun * down) * kLanes;
      if constexpr (kDown > 0) {
        A weights[kDown * kTapsOfAPhase];
        LoadWeights<kDown * kTapsOfAPhase>(taps + tap_row * kDown * kTapsOfAPhase, weights);
        AddRun<kDown, kRun>(weights, [&](int i) { return line[i * kLanes]; }, sums);
      } else {
        const A* weights = taps + tap_row * call.x.down_taps;
        for (int j = 0; j < call.x.down_taps; ++j) sums[0] += weights[j] * line[j * kLanes];
      }
    }
    SG_KERAS_UNROLL
    for (int o = 0; o < kRun; ++o) total += PutOutput(call, tile, at.line, at.run * kRun + o, sums[o]);
  }
  return total;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_PASSES_H_
