#include "custom_ops/bias_act/cc/kernels/bias_act_cpu.h"

#include <algorithm>
#include <cmath>

#include "custom_ops/common/cc/kernels/cpu_targets.h"
#include "custom_ops/common/cc/kernels/memory_streams.h"

namespace sg_keras {
namespace {

// Klambauer et al. 2017, "Self-Normalizing Neural Networks".
constexpr double kSeluScale = 1.0507009873554804934193349852946;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;

// ------------------------------------------------------------------------------------------ piecewise linear

template <typename A>
struct Slopes {
  A positive;
  A negative;
  A clamp;
};

template <typename A>
Slopes<A> SlopesOf(const BiasActParameters& p) {
  const double negative = p.act == Activation::kLinear ? 1.0 : p.act == Activation::kRelu ? 0.0 : p.alpha;
  return {static_cast<A>(p.gain), static_cast<A>(p.gain * negative), static_cast<A>(p.clamp)};
}

// Calls element(i) for i < count, and reads ahead in `streams`. Elements do not depend on each other.
template <typename Element, typename... T>
SG_KERAS_INLINE void ForEachElement(int64_t count, const Element& element, const T*... streams) {
  constexpr int64_t kBlock = 64;
  const int64_t whole = count - count % kBlock;
  for (int64_t start = 0; start < whole; start += kBlock) {
    (ReadAhead(streams + start, kBlock), ...);
#pragma omp simd
    for (int64_t i = start; i < start + kBlock; ++i) element(i);
  }
  for (int64_t i = whole; i < count; ++i) element(i);
}

#define SG_KERAS_ELEMENT [=](int64_t i) __attribute__((always_inline))

// Comparisons are written so that NaN passes through.
template <typename T, typename A>
SG_KERAS_INLINE void StoreActivated(Slopes<A> slopes, A u, T* y) {
  A v = u * (u > 0 ? slopes.positive : slopes.negative);
  v = v > slopes.clamp ? slopes.clamp : v;
  v = v < -slopes.clamp ? -slopes.clamp : v;
  Store(v, y);
}

template <typename T, typename A>
SG_KERAS_INLINE void PiecewiseForward(Slopes<A> slopes, const T* x, const A* bias, int64_t count, T* y) {
  if (bias == nullptr) {
    ForEachElement(count, SG_KERAS_ELEMENT { StoreActivated(slopes, Load(x[i]), &y[i]); }, x);
  } else {
    ForEachElement(count, SG_KERAS_ELEMENT { StoreActivated(slopes, Load(x[i]) + bias[i], &y[i]); }, x);
  }
}

template <typename T, typename A>
SG_KERAS_INLINE void PiecewiseScaled(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias,
                                     int64_t pixels, int64_t channels, T* y) {
  for (int64_t p = 0; p < pixels; ++p) {
    const A pixel_noise = noise == nullptr ? A(0) : Load(noise[p]);
    ReadAhead(x + p * channels, channels);
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      StoreActivated(slopes, Load(x[p * channels + c]) * Load(scale[c]) + pixel_noise + Load(bias[c]),
                     &y[p * channels + c]);
    }
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

template <typename T, typename A>
SG_KERAS_INLINE void PiecewiseBackwardOfResult(Slopes<A> slopes, const T* dy, const T* y, int64_t count, T* dx) {
  const auto element = SG_KERAS_ELEMENT {
    const A v = Load(y[i]);
    const A d = Load(dy[i]) * (v > 0 ? slopes.positive : slopes.negative);
    const bool clamped = (v >= slopes.clamp) | (v <= -slopes.clamp);
    Store(clamped ? A(0) : d, &dx[i]);
  };
  ForEachElement(count, element, dy, y);
}

template <typename T, typename A>
SG_KERAS_INLINE void PiecewiseBackward(Slopes<A> slopes, const T* dy, const T* u, int64_t count, T* dx) {
  const auto element = SG_KERAS_ELEMENT {
    const A v = Load(u[i]);
    const A slope = v > 0 ? slopes.positive : slopes.negative;
    const bool clamped = (v * slope >= slopes.clamp) | (v * slope <= -slopes.clamp);
    Store(clamped ? A(0) : Load(dy[i]) * slope, &dx[i]);
  };
  ForEachElement(count, element, dy, u);
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

// Target clones have to be plain functions.
#define DEFINE_PIECEWISE(T, A)                                                                                   \
  SG_KERAS_CPU_TARGETS void ForwardRow(Slopes<A> slopes, const T* x, const A* bias, int64_t count, T* y) {       \
    PiecewiseForward<T, A>(slopes, x, bias, count, y);                                                           \
  }                                                                                                              \
  SG_KERAS_CPU_TARGETS void ScaledRow(Slopes<A> slopes, const T* x, const T* scale, const T* noise, const T* bias, \
                                      int64_t pixels, int64_t channels, T* y) {                                  \
    PiecewiseScaled<T, A>(slopes, x, scale, noise, bias, pixels, channels, y);                                   \
  }                                                                                                              \
  SG_KERAS_CPU_TARGETS void ScaledBackwardImage(Slopes<A> slopes, const T* dy, const T* y, const T* x, const T* scale, \
                                                int64_t pixels, int64_t channels, A* scratch, T* dx, A* dscale,  \
                                                T* dnoise, A* db) {                                              \
    PiecewiseScaledBackward<T, A>(slopes, dy, y, x, scale, pixels, channels, scratch, dx, dscale, dnoise, db);   \
  }                                                                                                              \
  SG_KERAS_CPU_TARGETS void BackwardRowOfResult(Slopes<A> slopes, const T* dy, const T* y, int64_t count, T* dx) { \
    PiecewiseBackwardOfResult<T, A>(slopes, dy, y, count, dx);                                                   \
  }                                                                                                              \
  SG_KERAS_CPU_TARGETS void PeriodRows(const T* x, int64_t count, int64_t period, A* sums) {                     \
    AddPeriods<T, A>(x, count, period, sums);                                                                    \
  }                                                                                                              \
  SG_KERAS_CPU_TARGETS void BackwardRow(Slopes<A> slopes, const T* dy, const T* u, int64_t count, T* dx) {       \
    PiecewiseBackward<T, A>(slopes, dy, u, count, dx);                                                           \
  }

DEFINE_PIECEWISE(float, float)
DEFINE_PIECEWISE(double, double)
DEFINE_PIECEWISE(BFloat16Bits, float)
#undef DEFINE_PIECEWISE

// ------------------------------------------------------------------------------------------ smooth

template <typename A>
A Sigmoid(A u) {
  return A(1) / (A(1) + std::exp(-u));
}

template <Activation kAct, typename A>
A Value(A u) {
  switch (kAct) {
    case Activation::kTanh:
      return std::tanh(u);
    case Activation::kSigmoid:
      return Sigmoid(u);
    case Activation::kElu:
      return u > 0 ? u : std::expm1(u);
    case Activation::kSelu:
      return A(kSeluScale) * (u > 0 ? u : A(kSeluAlpha) * std::expm1(u));
    case Activation::kSoftplus:
      return u > 0 ? u + std::log1p(std::exp(-u)) : std::log1p(std::exp(u));
    case Activation::kSwish:
      return u * Sigmoid(u);
    default:
      return u;
  }
}

template <Activation kAct, typename A>
A Slope(A u) {
  switch (kAct) {
    case Activation::kTanh: {
      const A t = std::tanh(u);
      return A(1) - t * t;
    }
    case Activation::kSigmoid: {
      const A s = Sigmoid(u);
      return s * (A(1) - s);
    }
    case Activation::kElu:
      return u > 0 ? A(1) : std::exp(u);
    case Activation::kSelu:
      return A(kSeluScale) * (u > 0 ? A(1) : A(kSeluAlpha) * std::exp(u));
    case Activation::kSoftplus:
      return Sigmoid(u);
    case Activation::kSwish: {
      const A s = Sigmoid(u);
      return s + u * s * (A(1) - s);
    }
    default:
      return A(1);
  }
}

template <Activation kAct, typename T, typename A = typename Computation<T>::Type>
void SmoothForward(const BiasActParameters& p, const T* x, const A* bias, int64_t count, T* y) {
  const A gain = static_cast<A>(p.gain);
  const A clamp = static_cast<A>(p.clamp);
  for (int64_t i = 0; i < count; ++i) {
    A v = gain * Value<kAct, A>(bias == nullptr ? Load(x[i]) : Load(x[i]) + bias[i]);
    v = v > clamp ? clamp : v;
    Store(v < -clamp ? -clamp : v, &y[i]);
  }
}

template <Activation kAct, typename T, typename A = typename Computation<T>::Type>
void SmoothBackward(const BiasActParameters& p, const T* dy, const T* at, int64_t count, T* dx) {
  const A gain = static_cast<A>(p.gain);
  const bool has_clamp = !std::isinf(p.clamp);
  for (int64_t i = 0; i < count; ++i) {
    const A u = Load(at[i]);
    const bool clamped = has_clamp && std::abs(gain * Value<kAct, A>(u)) >= static_cast<A>(p.clamp);
    Store(clamped ? A(0) : Load(dy[i]) * gain * Slope<kAct, A>(u), &dx[i]);
  }
}

}  // namespace

bool ParseActivation(const std::string& name, Activation* act) {
  static constexpr const char* kNames[] = {"linear", "relu", "lrelu", "tanh", "sigmoid",
                                           "elu",    "selu", "softplus", "swish"};
  for (int i = 0; i < 9; ++i) {
    if (name == kNames[i]) {
      *act = static_cast<Activation>(i);
      return true;
    }
  }
  return false;
}

#define FOR_SMOOTH(CASE)       \
  CASE(Activation::kTanh)      \
  CASE(Activation::kSigmoid)   \
  CASE(Activation::kElu)       \
  CASE(Activation::kSelu)      \
  CASE(Activation::kSoftplus)  \
  CASE(Activation::kSwish)

template <typename T>
void BiasActForward(const BiasActParameters& p, const T* x, const typename Computation<T>::Type* bias, int64_t count,
                    T* y) {
  switch (p.act) {
#define CASE(ACT) \
  case ACT:       \
    return SmoothForward<ACT, T>(p, x, bias, count, y);
    FOR_SMOOTH(CASE)
#undef CASE
    default:
      return ForwardRow(SlopesOf<typename Computation<T>::Type>(p), x, bias, count, y);
  }
}

template <typename T>
void ScaleBiasActForward(const BiasActParameters& p, const T* x, const T* scale, const T* noise, const T* bias,
                         int64_t pixels, int64_t channels, T* y) {
  ScaledRow(SlopesOf<typename Computation<T>::Type>(p), x, scale, noise, bias, pixels, channels, y);
}

template <typename T>
void ScaleBiasActBackward(const BiasActParameters& p, const T* dy, const T* y, const T* x, const T* scale,
                          int64_t pixels, int64_t channels, typename Computation<T>::Type* scratch, T* dx,
                          typename Computation<T>::Type* dscale, T* dnoise, typename Computation<T>::Type* db) {
  ScaledBackwardImage(SlopesOf<typename Computation<T>::Type>(p), dy, y, x, scale, pixels, channels, scratch, dx,
                      dscale, dnoise, db);
}

template <typename T>
void BiasActBackward(const BiasActParameters& p, bool of_result, const T* dy, const T* at, int64_t count, T* dx) {
  switch (p.act) {
#define CASE(ACT) \
  case ACT:       \
    return SmoothBackward<ACT, T>(p, dy, at, count, dx);
    FOR_SMOOTH(CASE)
#undef CASE
    default:
      if (of_result) return BackwardRowOfResult(SlopesOf<typename Computation<T>::Type>(p), dy, at, count, dx);
      return BackwardRow(SlopesOf<typename Computation<T>::Type>(p), dy, at, count, dx);
  }
}

template <typename T>
void SumPeriods(const T* x, int64_t count, int64_t period, typename Computation<T>::Type* sums) {
  PeriodRows(x, count, period, sums);
}

#define INSTANTIATE(T)                                                                                             \
  template void BiasActForward<T>(const BiasActParameters&, const T*, const typename Computation<T>::Type*, int64_t, \
                                  T*);                                                                             \
  template void ScaleBiasActForward<T>(const BiasActParameters&, const T*, const T*, const T*, const T*, int64_t,    \
                                       int64_t, T*);                                                               \
  template void ScaleBiasActBackward<T>(const BiasActParameters&, const T*, const T*, const T*, const T*, int64_t,  \
                                        int64_t, typename Computation<T>::Type*, T*,                               \
                                        typename Computation<T>::Type*, T*, typename Computation<T>::Type*);       \
  template void SumPeriods<T>(const T*, int64_t, int64_t, typename Computation<T>::Type*);                           \
  template void BiasActBackward<T>(const BiasActParameters&, bool, const T*, const T*, int64_t, T*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(BFloat16Bits)
#undef INSTANTIATE

}  // namespace sg_keras
