// Separable passes of filtered_lrelu over lines of blocks. Compiled for one processor: see vector_block.h.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PASSES_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PASSES_H_

#include "custom_ops/common/cc/kernels/vector_block.h"

namespace sg_keras {
namespace SG_KERAS_PROCESSOR {

// ------------------------------------------------------------------------------------------ slopes

enum class Slopes { kComputed, kComputedWithClamp, kFromMask };

template <typename A>
struct Activation {
  typename Register<A>::Type slope;
  typename Register<A>::Type clamp;
};

// Multiplies internal pixels by their slopes, and writes or reads a mask word of FilteredLreluTile.
template <Slopes kSlopes, typename A>
SG_KERAS_INLINE Block<A> Activate(const Activation<A>& activation, const Block<A>& upsampled, uint32_t* word) {
  Block<A> x = upsampled;
  constexpr int kLanes = Register<A>::kLanes;
  uint32_t bits = kSlopes == Slopes::kFromMask ? *word : 0;
  for (int r = 0; r < Block<A>::kRegisters; ++r) {
    if (kSlopes == Slopes::kFromMask) {
      x.v[r] = MultiplyWhere(bits >> (r * kLanes), x.v[r], activation.slope);
      x.v[r] = ZeroWhere(bits >> (kBlock + r * kLanes), x.v[r]);
      continue;
    }
    const uint32_t negative = NotAboveZero(x.v[r]);
    bits |= negative << (r * kLanes);
    x.v[r] = MultiplyWhere(negative, x.v[r], activation.slope);
    if (kSlopes == Slopes::kComputedWithClamp) {
      const auto limited = Limit(x.v[r], activation.clamp);
      bits |= Differ(limited, x.v[r]) << (kBlock + r * kLanes);
      x.v[r] = limited;
    }
  }
  if (kSlopes != Slopes::kFromMask) *word = bits;
  return x;
}

// ------------------------------------------------------------------------------------------ upsampling

// lines[p][i] = sum over t of weights[p][t] * rows[t][i].
template <int kPhases, int kTaps, typename A>
SG_KERAS_INLINE void UpsampleRowsOf(const Block<A>* const* rows, const A* weights, int64_t count,
                                    Block<A>* const* lines) {
  typename Register<A>::Type w[kPhases][kTaps];
  for (int p = 0; p < kPhases; ++p) {
    for (int t = 0; t < kTaps; ++t) w[p][t] = Broadcast(weights[p * kTaps + t]);
  }
  for (int64_t i = 0; i < count; ++i) {
    Block<A> sum[kPhases];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) {
      const Block<A> x = rows[t][i];
#pragma GCC unroll 8
      for (int p = 0; p < kPhases; ++p) {
        if (t == 0) {
          sum[p] = Multiply(w[p][t], x);
        } else {
          MultiplyAdd(w[p][t], x, &sum[p]);
        }
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPhases; ++p) lines[p][i] = sum[p];
  }
}

template <typename A>
SG_KERAS_INLINE void UpsampleRows(const Block<A>* const* rows, const A* weights, int64_t up, int64_t taps,
                                  int64_t count, Block<A>* const* lines) {
  if (taps == 6 && up == 2) return UpsampleRowsOf<2, 6>(rows, weights, count, lines);
  if (taps == 6 && up == 4) {
    UpsampleRowsOf<4, 6>(rows, weights, count, lines);
    return;
  }
  if (taps == 1 && up == 1) return UpsampleRowsOf<1, 1>(rows, weights, count, lines);
  for (int64_t p = 0; p < up; ++p) {
    for (int64_t i = 0; i < count; ++i) {
      Block<A> sum = Zero<A>();
      for (int64_t t = 0; t < taps; ++t) MultiplyAdd(Broadcast(weights[p * taps + t]), rows[t][i], &sum);
      lines[p][i] = sum;
    }
  }
}

// out[g * stride + p] = sum over t of weights[p][t] * line[g + t], times its slope.
template <Slopes kSlopes, int kPhases, int kTaps, typename A>
SG_KERAS_INLINE void UpsampleLineOf(const Activation<A>& activation, const Block<A>* line, const A* weights,
                                    int64_t groups, int64_t stride, Block<A>* out, uint32_t* mask) {
  typename Register<A>::Type w[kPhases][kTaps];
  for (int p = 0; p < kPhases; ++p) {
    for (int t = 0; t < kTaps; ++t) w[p][t] = Broadcast(weights[p * kTaps + t]);
  }
  for (int64_t g = 0; g < groups; ++g) {
    Block<A> sum[kPhases];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) {
      const Block<A> x = line[g + t];
#pragma GCC unroll 8
      for (int p = 0; p < kPhases; ++p) {
        if (t == 0) {
          sum[p] = Multiply(w[p][t], x);
        } else {
          MultiplyAdd(w[p][t], x, &sum[p]);
        }
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPhases; ++p) {
      out[g * stride + p] = Activate<kSlopes>(activation, sum[p], &mask[g * stride + p]);
    }
  }
}

template <Slopes kSlopes, typename A>
SG_KERAS_INLINE void UpsampleLine(const Activation<A>& activation, const Block<A>* line, const A* weights, int64_t up,
                                  int64_t taps, int64_t groups, Block<A>* out, uint32_t* mask) {
  if (taps == 6 && up == 2) return UpsampleLineOf<kSlopes, 2, 6>(activation, line, weights, groups, 2, out, mask);
  if (taps == 6 && up == 4) {  // two phases at a time: their weights fit in registers
    UpsampleLineOf<kSlopes, 2, 6>(activation, line, weights, groups, 4, out, mask);
    UpsampleLineOf<kSlopes, 2, 6>(activation, line, weights + 12, groups, 4, out + 2, mask + 2);
    return;
  }
  if (taps == 1 && up == 1) return UpsampleLineOf<kSlopes, 1, 1>(activation, line, weights, groups, 1, out, mask);
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t p = 0; p < up; ++p) {
      Block<A> sum = Zero<A>();
      for (int64_t t = 0; t < taps; ++t) MultiplyAdd(Broadcast(weights[p * taps + t]), line[g + t], &sum);
      out[g * up + p] = Activate<kSlopes>(activation, sum, &mask[g * up + p]);
    }
  }
}

// ------------------------------------------------------------------------------------------ downsampling

// sum[q] = sum over j of w[j] * source(q * kDown + j): kOutputs results that share what they read.
template <int kDown, int kTaps, int kOutputs, typename A, typename Source>
SG_KERAS_INLINE void Decimate(const typename Register<A>::Type* w, const Source& source, Block<A>* sum) {
#pragma GCC unroll 64
  for (int i = 0; i < (kOutputs - 1) * kDown + kTaps; ++i) {
    const Block<A> x = source(i);
#pragma GCC unroll 8
    for (int q = 0; q < kOutputs; ++q) {
      const int j = i - q * kDown;
      if (j == 0) sum[q] = Multiply(w[j], x);
      if (j > 0 && j < kTaps) MultiplyAdd(w[j], x, &sum[q]);
    }
  }
}

// out[o] = sum over j of weights[j] * line[o * kDown + j].
template <int kDown, int kTaps, int kOutputs, typename A>
SG_KERAS_INLINE void DownsampleLineOf(const Block<A>* line, const A* weights, int64_t count, Block<A>* out) {
  typename Register<A>::Type w[kTaps];
  for (int j = 0; j < kTaps; ++j) w[j] = Broadcast(weights[j]);
  int64_t o = 0;
  for (; o + kOutputs <= count; o += kOutputs) {
    Block<A> sum[kOutputs];
    Decimate<kDown, kTaps, kOutputs, A>(w, [&](int i) { return line[o * kDown + i]; }, sum);
#pragma GCC unroll 8
    for (int q = 0; q < kOutputs; ++q) out[o + q] = sum[q];
  }
  for (; o < count; ++o) Decimate<kDown, kTaps, 1, A>(w, [&](int i) { return line[o * kDown + i]; }, &out[o]);
}

template <typename A>
SG_KERAS_INLINE void DownsampleLine(const Block<A>* line, const A* weights, int64_t down, int64_t taps, int64_t count,
                                    Block<A>* out) {
  if (down == 2 && taps == 12) return DownsampleLineOf<2, 12, 4>(line, weights, count, out);
  if (down == 4 && taps == 24) return DownsampleLineOf<4, 24, 4>(line, weights, count, out);
  if (down == 1 && taps == 1) return DownsampleLineOf<1, 1, 1>(line, weights, count, out);
  for (int64_t o = 0; o < count; ++o) {
    Block<A> sum = Zero<A>();
    for (int64_t j = 0; j < taps; ++j) MultiplyAdd(Broadcast(weights[j]), line[o * down + j], &sum);
    out[o] = sum;
  }
}

// Rows of the result: kRows of them from consecutive `rows` of the internal image.
template <int kDown, int kTaps, int kRows, typename A, typename Store>
SG_KERAS_INLINE void DownsampleRowsOf(const Block<A>* const* rows, const A* weights, int64_t count,
                                      const Store& store) {
  typename Register<A>::Type w[kTaps];
  for (int j = 0; j < kTaps; ++j) w[j] = Broadcast(weights[j]);
  for (int64_t i = 0; i < count; ++i) {
    Block<A> sum[kRows];
    Decimate<kDown, kTaps, kRows, A>(w, [&](int j) { return rows[j][i]; }, sum);
#pragma GCC unroll 8
    for (int q = 0; q < kRows; ++q) store(q, i, sum[q]);
  }
}

// Any number of rows of the result, `store(row, i, block)` each.
template <typename A, typename Store>
SG_KERAS_INLINE void DownsampleRows(const Block<A>* const* rows, const A* weights, int64_t down, int64_t taps,
                                    int64_t out_rows, int64_t count, const Store& store) {
  if (out_rows == 4 && down == 2 && taps == 12) return DownsampleRowsOf<2, 12, 4>(rows, weights, count, store);
  if (out_rows == 4 && down == 4 && taps == 24) return DownsampleRowsOf<4, 24, 4>(rows, weights, count, store);
  for (int64_t q = 0; q < out_rows; ++q) {
    const auto store_row = [&](int, int64_t i, const Block<A>& block) { store(q, i, block); };
    const Block<A>* const* first = rows + q * down;
    if (down == 2 && taps == 12) {
      DownsampleRowsOf<2, 12, 1>(first, weights, count, store_row);
    } else if (down == 4 && taps == 24) {
      DownsampleRowsOf<4, 24, 1>(first, weights, count, store_row);
    } else if (down == 1 && taps == 1) {
      DownsampleRowsOf<1, 1, 1>(first, weights, count, store_row);
    } else {
      for (int64_t i = 0; i < count; ++i) {
        Block<A> sum = Zero<A>();
        for (int64_t j = 0; j < taps; ++j) MultiplyAdd(Broadcast(weights[j]), first[j][i], &sum);
        store(q, i, sum);
      }
    }
  }
}

}  // namespace SG_KERAS_PROCESSOR
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_PASSES_H_
