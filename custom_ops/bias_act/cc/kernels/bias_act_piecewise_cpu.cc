#include "custom_ops/bias_act/cc/kernels/bias_act_piecewise_cpu.h"

#include <algorithm>

#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"
#include "custom_ops/common/cc/kernels/processor.h"

namespace sg_keras {
namespace {

// y[i] = value(i) for i < count, reading ahead in `streams`; finish(values, n) sees them, a few at a time, in order.
template <Destination kDestination, typename T, typename Value, typename Finish, typename... Streams>
SG_KERAS_INLINE void ForEachElement(int64_t count, const Value& value, const Finish& finish, T* y,
                                    const Streams*... streams) {
  constexpr int64_t kBlock = kPeriodUnit;
  alignas(kCacheLine) T buffer[kBlock];
  const int64_t whole = count - count % kBlock;
  for (int64_t start = 0; start < whole; start += kBlock) {
    (ReadAhead(streams + start, kBlock), ...);
    T* block = kDestination == Destination::kCache ? y + start : buffer;
#pragma omp simd
    for (int64_t j = 0; j < kBlock; ++j) Store(value(start + j), &block[j]);
    finish(block, kBlock);
    if (kDestination == Destination::kMemory) StoreAlignedToMemory(buffer, kBlock, y + start);
  }
  (ReadAhead(streams + whole, count - whole), ...);
  T* block = kDestination == Destination::kCache ? y + whole : buffer;
#pragma omp simd
  for (int64_t j = 0; j < count - whole; ++j) Store(value(whole + j), &block[j]);
  finish(block, count - whole);
  if (kDestination == Destination::kMemory) StoreAlignedToMemory(buffer, count - whole, y + whole);
}

#define SG_KERAS_VALUE [=](int64_t i) __attribute__((always_inline))

template <typename T>
struct NoSums {
  SG_KERAS_INLINE void operator()(const T*, int64_t) const {}
};

// Comparisons are written so that NaN passes through.
template <typename A>
SG_KERAS_INLINE A Activated(Slopes<A> slopes, A u) {
  A v = u * (u > 0 ? slopes.positive : slopes.negative);
  v = v > slopes.clamp ? slopes.clamp : v;
  return v < -slopes.clamp ? -slopes.clamp : v;
}

template <Destination kDestination, typename T, typename A>
SG_KERAS_INLINE void PiecewiseForward(Slopes<A> slopes, const T* x, const A* bias, int64_t count, T* y) {
  if (bias == nullptr) {
    const auto value = SG_KERAS_VALUE { return Activated(slopes, Load(x[i])); };
    ForEachElement<kDestination>(count, value, NoSums<T>(), y);
  } else {
    const auto value = SG_KERAS_VALUE { return Activated(slopes, Load(x[i]) + bias[i]); };
    ForEachElement<kDestination>(count, value, NoSums<T>(), y);
  }
}

template <Destination kDestination, typename T, typename A>
SG_KERAS_INLINE void PiecewiseScaled(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias,
                                     int64_t pixels, int64_t channels, T* y) {
  for (int64_t p = 0; p < pixels; ++p) {
    const A pixel_noise = noise == nullptr ? A(0) : Load(noise[p]);
    const T* pixel = x + p * channels;
    const auto value = SG_KERAS_VALUE {
      return Activated(slopes, Load(pixel[i]) * Load(scale[i]) + pixel_noise + Load(bias[i]));
    };
    ForEachElement<kDestination>(channels, value, NoSums<T>(), y + p * channels);
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void PiecewiseScaledBackward(Slopes<A> slopes, const T* dy, const T* y, const T* x, const T* scale,
                                             int64_t pixels, int64_t channels, A* __restrict__ block, T* dx,
                                             A* __restrict__ dscale, T* dnoise, A* __restrict__ db) {
  constexpr int64_t kBlock = 64;  // pixels summed before they are added to the total: keeps rounding errors small
  A* __restrict__ block_scale = block;
  A* __restrict__ block_bias = block + channels;
  std::fill(dscale, dscale + channels, A(0));
  std::fill(db, db + channels, A(0));
  for (int64_t start = 0; start < pixels; start += kBlock) {
    std::fill(block, block + 2 * channels, A(0));
    for (int64_t p = start; p < std::min(start + kBlock, pixels); ++p) {
      const int64_t offset = p * channels;
      A pixel_sum = 0;
      for (const T* stream : {dy, y, x}) ReadAhead(stream + offset, channels);
#pragma omp simd reduction(+ : pixel_sum)
      for (int64_t c = 0; c < channels; ++c) {
        const A v = Load(y[offset + c]);
        const A d = Load(dy[offset + c]) * (v > 0 ? slopes.positive : slopes.negative);
        const bool clamped = (v >= slopes.clamp) | (v <= -slopes.clamp);
        const A du = clamped ? A(0) : d;
        Store(du * Load(scale[c]), &dx[offset + c]);
        block_scale[c] += du * Load(x[offset + c]);
        block_bias[c] += du;
        pixel_sum += du;
      }
      Store(pixel_sum, &dnoise[p]);
    }
    for (int64_t c = 0; c < channels; ++c) dscale[c] += block_scale[c];
    for (int64_t c = 0; c < channels; ++c) db[c] += block_bias[c];
  }
}

template <Destination kDestination, bool kOfResult, typename T, typename A, typename Finish>
SG_KERAS_INLINE void PiecewiseBackward(Slopes<A> slopes, const T* dy, const T* at, int64_t count, const Finish& finish,
                                       T* dx) {
  const auto value = SG_KERAS_VALUE {
    const A v = Load(at[i]);
    const A slope = v > 0 ? slopes.positive : slopes.negative;
    const A result = kOfResult ? v : v * slope;
    const bool clamped = (result >= slopes.clamp) | (result <= -slopes.clamp);
    const A d = Load(dy[i]) * slope;
    return clamped ? A(0) : d;
  };
  ForEachElement<kDestination>(count, value, finish, dx, dy, at);
}

template <Destination kDestination, bool kOfResult, typename T, typename A>
SG_KERAS_INLINE void PiecewiseBackwardAndSums(Slopes<A> slopes, const T* dy, const T* at, int64_t count, T* dx,
                                              int64_t period, A* __restrict__ sums) {
  if (sums == nullptr) {
    return PiecewiseBackward<kDestination, kOfResult>(slopes, dy, at, count, NoSums<T>(), dx);
  }
  int64_t column = 0;
  const auto add = [&column, period, sums](const T* values, int64_t n) __attribute__((always_inline)) {
    A* __restrict__ sum = sums + column;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) sum[j] += Load(values[j]);
    column = column + n == period ? 0 : column + n;
  };
  PiecewiseBackward<kDestination, kOfResult>(slopes, dy, at, count, add, dx);
}

// Columns side by side in registers: each sum is taken in the order of the rows.
template <typename T, typename A>
SG_KERAS_INLINE void AddPeriods(const T* x, int64_t count, int64_t period, A* __restrict__ sums) {
  constexpr int64_t kColumns = 64;
  const int64_t whole = period - period % kColumns;
  for (int64_t column = 0; column < whole; column += kColumns) {
    A sum[kColumns];
    for (int64_t j = 0; j < kColumns; ++j) sum[j] = sums[column + j];
    for (int64_t start = column; start < count; start += period) {
#pragma omp simd
      for (int64_t j = 0; j < kColumns; ++j) sum[j] += Load(x[start + j]);
    }
    for (int64_t j = 0; j < kColumns; ++j) sums[column + j] = sum[j];
  }
  for (int64_t start = 0; start < count; start += period) {
    for (int64_t j = whole; j < period; ++j) sums[j] += Load(x[start + j]);
  }
}

// Calls a template with where its results go.
#define TO_DESTINATION(FUNCTION, ...)               \
  if (destination == Destination::kMemory) {        \
    FUNCTION<Destination::kMemory __VA_ARGS__;      \
  } else {                                          \
    FUNCTION<Destination::kCache __VA_ARGS__;       \
  }

template <typename T, typename A>
SG_KERAS_INLINE void ForwardTo(Slopes<A> slopes, const T* x, const A* bias, int64_t count, Destination destination,
                               T* y) {
  TO_DESTINATION(PiecewiseForward, >(slopes, x, bias, count, y))
}

template <typename T, typename A>
SG_KERAS_INLINE void ScaledTo(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias,
                              int64_t pixels, int64_t channels, Destination destination, T* y) {
  TO_DESTINATION(PiecewiseScaled, >(slopes, x, scale, noise, bias, pixels, channels, y))
}

template <typename T, typename A>
SG_KERAS_INLINE void BackwardTo(Slopes<A> slopes, bool of_result, const T* dy, const T* at, int64_t count,
                                Destination destination, T* dx, int64_t period, A* sums) {
  if (of_result) {
    TO_DESTINATION(PiecewiseBackwardAndSums, , true>(slopes, dy, at, count, dx, period, sums))
  } else {
    TO_DESTINATION(PiecewiseBackwardAndSums, , false>(slopes, dy, at, count, dx, period, sums))
  }
}

#undef TO_DESTINATION

}  // namespace

#define DEFINE_PIECEWISE(T, A)                                                                                        \
  void ForwardRow(Slopes<A> slopes, const T* x, const A* bias, int64_t count, Destination destination, T* y) {        \
    OnProcessors<ForwardTo<T, A>>::Run(slopes, x, bias, count, destination, y);                                       \
  }                                                                                                                   \
  void ScaledRow(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias, int64_t pixels,         \
                 int64_t channels, Destination destination, T* y) {                                                   \
    OnProcessors<ScaledTo<T, A>>::Run(slopes, x, scale, noise, bias, pixels, channels, destination, y);               \
  }                                                                                                                   \
  void ScaledBackwardImage(Slopes<A> slopes, const T* dy, const T* y, const T* x, const T* scale, int64_t pixels,     \
                           int64_t channels, A* scratch, T* dx, A* dscale, T* dnoise, A* db) {                        \
    OnProcessors<PiecewiseScaledBackward<T, A>>::Run(slopes, dy, y, x, scale, pixels, channels, scratch, dx, dscale,  \
                                                     dnoise, db);                                                     \
  }                                                                                                                   \
  void BackwardRow(Slopes<A> slopes, bool of_result, const T* dy, const T* at, int64_t count,                         \
                   Destination destination, T* dx, int64_t period, A* sums) {                                         \
    OnProcessors<BackwardTo<T, A>>::Run(slopes, of_result, dy, at, count, destination, dx, period, sums);             \
  }                                                                                                                   \
  void PeriodRows(const T* x, int64_t count, int64_t period, A* sums) {                                               \
    OnProcessors<AddPeriods<T, A>>::Run(x, count, period, sums);                                                      \
  }

DEFINE_PIECEWISE(float, float)
DEFINE_PIECEWISE(double, double)
DEFINE_PIECEWISE(BFloat16Bits, float)
#undef DEFINE_PIECEWISE

}  // namespace sg_keras
