// The two passes of a separable filter over channels-last lines of pixels, compiled for several processors.

#ifndef CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_LINES_CPU_H_
#define CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_LINES_CPU_H_

#include <cstdint>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"

namespace sg_keras {

// Where the pixels of a part of a line of the result come from.
template <typename A>
struct LinePlan {
  const int64_t* source;  // first of the neighbouring pixels of the line that each pixel of the result reads
  const int64_t* phase;   // whose weights it takes
  const A* weights;       // [phase][taps]
  int64_t taps;
  int64_t size;
  int64_t channels;
  int64_t up;    // factors of the line
  int64_t down;
};

// Rows of the input that the vertical pass will want soon; it fetches them while it computes. They may lie outside.
template <typename T>
struct NextRows {
  const T* first;
  const T* second;
};

// out[i] = sum over t < taps of weights[t] * rows[t][i], for i < count.
void CombineRows(const float* const* rows, const float* weights, int64_t taps, int64_t count,
                 const NextRows<float>& next, float* out);
void CombineRows(const double* const* rows, const double* weights, int64_t taps, int64_t count,
                 const NextRows<double>& next, double* out);
void CombineRows(const BFloat16Bits* const* rows, const float* weights, int64_t taps, int64_t count,
                 const NextRows<BFloat16Bits>& next, float* out);

// out[o, c] = sum over t < taps of weights[phase[o], t] * line[source[o] + t, c], for o < size.
void FilterLine(const LinePlan<float>& plan, const float* line, float* out);
void FilterLine(const LinePlan<double>& plan, const double* line, double* out);
void FilterLine(const LinePlan<float>& plan, const float* line, BFloat16Bits* out);

// The same past the caches, for pixels that are whole cache lines of numbers and begin at multiples of kStoredWord.
void FilterLineToMemory(const LinePlan<float>& plan, const float* line, float* out);
void FilterLineToMemory(const LinePlan<double>& plan, const double* line, double* out);
void FilterLineToMemory(const LinePlan<float>& plan, const float* line, BFloat16Bits* out);

// The same added to what `out` holds.
void AddFilteredLine(const LinePlan<float>& plan, const float* line, float* out);
void AddFilteredLine(const LinePlan<double>& plan, const double* line, double* out);

}  // namespace sg_keras

#endif  // CUSTOM_OPS_UPFIRDN2D_CC_KERNELS_UPFIRDN2D_LINES_CPU_H_
