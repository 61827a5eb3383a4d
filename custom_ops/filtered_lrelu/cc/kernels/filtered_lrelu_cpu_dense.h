// Passes of filtered_lrelu with filters that are not separable. Compiled for one processor: see vector_block.h.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_DENSE_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_DENSE_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_passes.h"

namespace sg_keras {
namespace SG_KERAS_PROCESSOR {

// One line of a group: out[g * up + p] = sum over s, t of weights[p][s][t] * rows[s][g + t], times its slope.
template <Slopes kSlopes, typename A>
SG_KERAS_INLINE void UpsampleMatrix(const Activation<A>& activation, const Block<A>* const* rows, const A* weights,
                                    int64_t up, int64_t taps_y, int64_t taps_x, int64_t groups, Block<A>* out,
                                    uint32_t* mask) {
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t p = 0; p < up; ++p) {
      const A* w = weights + p * taps_y * taps_x;
      Block<A> sum = Zero<A>();
      for (int64_t s = 0; s < taps_y; ++s) {
        for (int64_t t = 0; t < taps_x; ++t) MultiplyAdd(Broadcast(*w++), rows[s][g + t], &sum);
      }
      out[g * up + p] = Activate<kSlopes>(activation, sum, &mask[g * up + p]);
    }
  }
}

// folded[0..2] = rows[t] + rows[5 - t], folded[3..5] = rows[t] - rows[5 - t].
template <typename A>
SG_KERAS_INLINE void FoldSixRows(const Block<A>* const* rows, int64_t count, Block<A>* const* folded) {
  for (int64_t i = 0; i < count; ++i) {
#pragma GCC unroll 3
    for (int t = 0; t < 3; ++t) {
      const Block<A> a = rows[t][i];
      const Block<A> b = rows[5 - t][i];
      folded[t][i] = Add(a, b);
      folded[3 + t][i] = Subtract(a, b);
    }
  }
}

// Both lines of groups of 2x2 internal pixels, before slopes, of a filter symmetric in both axes. With sums and
// differences of mirrored inputs, the four pixels are plus-minus combinations of four sums of 3x3 products.
template <int kGroups, typename A>
SG_KERAS_INLINE void UpsampleFolded(const Block<A>* const* folded, const A* weights, int64_t first,
                                    Block<A>* const* lines) {
  Block<A> parts[kGroups][4];  // even or odd in y (2x) and x (1x)
#pragma GCC unroll 2
  for (int odd_y = 0; odd_y < 2; ++odd_y) {
#pragma GCC unroll 3
    for (int s = 0; s < 3; ++s) {
      const Block<A>* row = folded[3 * odd_y + s] + first;
      const A* even = weights + odd_y * 18 + s * 3;
      const A* odd = even + 9;
#pragma GCC unroll 3
      for (int t = 0; t < 3; ++t) {
        const auto even_weight = Broadcast(even[t]);
        const auto odd_weight = Broadcast(odd[t]);
#pragma GCC unroll 4
        for (int g = 0; g < kGroups; ++g) {
          const Block<A> a = row[g + t];
          const Block<A> b = row[g + 5 - t];
          if (s == 0 && t == 0) {
            parts[g][2 * odd_y] = Multiply(even_weight, Add(a, b));
            parts[g][2 * odd_y + 1] = Multiply(odd_weight, Subtract(a, b));
          } else {
            MultiplyAdd(even_weight, Add(a, b), &parts[g][2 * odd_y]);
            MultiplyAdd(odd_weight, Subtract(a, b), &parts[g][2 * odd_y + 1]);
          }
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) {
    const Block<A> top_even = Add(parts[g][0], parts[g][2]);
    const Block<A> top_odd = Add(parts[g][1], parts[g][3]);
    const Block<A> bottom_even = Subtract(parts[g][0], parts[g][2]);
    const Block<A> bottom_odd = Subtract(parts[g][1], parts[g][3]);
    lines[0][2 * g] = Add(top_even, top_odd);
    lines[0][2 * g + 1] = Subtract(top_even, top_odd);
    lines[1][2 * g] = Add(bottom_even, bottom_odd);
    lines[1][2 * g + 1] = Subtract(bottom_even, bottom_odd);
  }
}

template <typename A>
SG_KERAS_INLINE void UpsampleFoldedLines(const Block<A>* const* folded, const A* weights, int64_t groups,
                                         Block<A>* const* lines) {
  constexpr int kGroups = 4;
  int64_t g = 0;
  for (; g + kGroups <= groups; g += kGroups) {
    Block<A>* const targets[2] = {lines[0] + 2 * g, lines[1] + 2 * g};
    UpsampleFolded<kGroups>(folded, weights, g, targets);
  }
  for (; g < groups; ++g) {
    Block<A>* const targets[2] = {lines[0] + 2 * g, lines[1] + 2 * g};
    UpsampleFolded<1>(folded, weights, g, targets);
  }
}

// One row of the result: the sum over i, j of weights[i][j] * rows[i][o * down + j].
template <typename A, typename Store>
SG_KERAS_INLINE void DownsampleMatrix(const Block<A>* const* rows, const A* weights, int64_t down, int64_t taps_y,
                                      int64_t taps_x, int64_t count, const Store& store) {
  for (int64_t o = 0; o < count; ++o) {
    const A* w = weights;
    Block<A> sum = Zero<A>();
    for (int64_t i = 0; i < taps_y; ++i) {
      for (int64_t j = 0; j < taps_x; ++j) MultiplyAdd(Broadcast(*w++), rows[i][o * down + j], &sum);
    }
    store(o, sum);
  }
}

constexpr int kFoldedChunk = 32;                       // results of a row at a time: their folded rows stay in cache
constexpr int kFoldedColumns = 2 * kFoldedChunk + 10;  // that they read

// One row of the result for a 12x12 filter symmetric in both axes and a factor of 2: mirrored rows are added first,
// then mirrored columns. `folded` is memory for six rows of kFoldedColumns.
template <int kOutputs, typename A, typename Store>
SG_KERAS_INLINE void DownsampleFoldedOf(const Block<A>* folded, const A* weights, int64_t o, const Store& store) {
  Block<A> sum[kOutputs];
#pragma GCC unroll 1
  for (int i = 0; i < 6; ++i) {
    const Block<A>* row = folded + i * kFoldedColumns + 2 * o;
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      const auto w = Broadcast(weights[6 * i + j]);
#pragma GCC unroll 4
      for (int q = 0; q < kOutputs; ++q) {
        const Block<A> pair = Add(row[2 * q + j], row[2 * q + 11 - j]);
        if (i == 0 && j == 0) sum[q] = Zero<A>();
        MultiplyAdd(w, pair, &sum[q]);
      }
    }
  }
  for (int q = 0; q < kOutputs; ++q) store(o + q, sum[q]);
}

template <typename A, typename Store>
SG_KERAS_INLINE void DownsampleFolded(const Block<A>* const* rows, const A* weights, int64_t count, Block<A>* folded,
                                      const Store& store) {
  for (int64_t start = 0; start < count; start += kFoldedChunk) {
    const int64_t outputs = count - start < kFoldedChunk ? count - start : kFoldedChunk;
    for (int i = 0; i < 6; ++i) {
      const Block<A>* a = rows[i] + 2 * start;
      const Block<A>* b = rows[11 - i] + 2 * start;
      for (int64_t c = 0; c < 2 * outputs + 10; ++c) folded[i * kFoldedColumns + c] = Add(a[c], b[c]);
    }
    const auto store_here = [&](int64_t o, const Block<A>& block) { store(start + o, block); };
    int64_t o = 0;
    for (; o + 4 <= outputs; o += 4) DownsampleFoldedOf<4>(folded, weights, o, store_here);
    for (; o < outputs; ++o) DownsampleFoldedOf<1>(folded, weights, o, store_here);
  }
}

}  // namespace SG_KERAS_PROCESSOR
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CPU_DENSE_H_
