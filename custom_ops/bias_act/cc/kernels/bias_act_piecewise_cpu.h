// The loops of bias_act with a piecewise linear activation, which are bound by memory, compiled for several processors.

#ifndef CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_PIECEWISE_CPU_H_
#define CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_PIECEWISE_CPU_H_

#include <cstdint>

#include "custom_ops/common/cc/kernels/bfloat16_bits.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"

namespace sg_keras {

// gain * act, and the clamp; infinity: none.
template <typename A>
struct Slopes {
  A positive;
  A negative;
  A clamp;
};

// For BiasActForward, ScaleBiasActForward, ScaleBiasActBackward, BiasActBackward and SumPeriods, in this order.
#define DECLARE_PIECEWISE(T, A)                                                                                      \
  void ForwardRow(Slopes<A> slopes, const T* x, const A* bias, int64_t count, Destination destination, T* y);        \
  void ScaledRow(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias, int64_t pixels,        \
                 int64_t channels, Destination destination, T* y);                                                   \
  void ScaledBackwardImage(Slopes<A> slopes, const T* dy, const T* y, const T* x, const T* scale, int64_t pixels,    \
                           int64_t channels, A* scratch, T* dx, A* dscale, T* dnoise, A* db);                        \
  void BackwardRow(Slopes<A> slopes, bool of_result, const T* dy, const T* at, int64_t count,                        \
                   Destination destination, T* dx, int64_t period, A* sums);                                         \
  void PeriodRows(const T* x, int64_t count, int64_t period, A* sums);
DECLARE_PIECEWISE(float, float)
DECLARE_PIECEWISE(double, double)
DECLARE_PIECEWISE(BFloat16Bits, float)
#undef DECLARE_PIECEWISE

}  // namespace sg_keras

#endif  // CUSTOM_OPS_BIAS_ACT_CC_KERNELS_BIAS_ACT_PIECEWISE_CPU_H_
