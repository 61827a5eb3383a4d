// Compiles functions for several generations of x86-64 processors and calls the best of them.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_PROCESSOR_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_PROCESSOR_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SG_KERAS_HAS_AVX 1
#if __GNUC__ >= 12
#define SG_KERAS_TARGET_AVX512 __attribute__((noinline, target("arch=x86-64-v4")))
#define SG_KERAS_TARGET_AVX2 __attribute__((noinline, target("arch=x86-64-v3")))
#else  // knows no levels of the architecture
#define SG_KERAS_TARGET_AVX512 __attribute__((noinline, target("avx512f")))
#define SG_KERAS_TARGET_AVX2 __attribute__((noinline, target("avx2")))
#endif
#endif

// Functions called from one that is compiled for several processors must be inlined into it to be compiled for them.
#define SG_KERAS_INLINE inline __attribute__((always_inline))

namespace sg_keras {

enum class Processor { kBaseline, kAvx2, kAvx512 };

// The generation whose code runs: the best one here, or an older one that SG_KERAS_PROCESSOR names. Set once, when the
// library is loaded, so that a process never mixes the roundings of two.
extern __attribute__((visibility("hidden"))) const Processor kProcessor;

template <auto kFunction>
struct OnProcessors;

// kFunction, a plain function that is SG_KERAS_INLINE, compiled for each generation.
template <typename R, typename... P, R (*kFunction)(P...)>
struct OnProcessors<kFunction> {
#if defined(SG_KERAS_HAS_AVX)
  SG_KERAS_TARGET_AVX512 static R Avx512(P... arguments) { return kFunction(arguments...); }
  SG_KERAS_TARGET_AVX2 static R Avx2(P... arguments) { return kFunction(arguments...); }
#endif
  __attribute__((noinline)) static R Baseline(P... arguments) { return kFunction(arguments...); }

  static R Run(P... arguments) {
#if defined(SG_KERAS_HAS_AVX)
    if (kProcessor == Processor::kAvx512) return Avx512(arguments...);
    if (kProcessor == Processor::kAvx2) return Avx2(arguments...);
#endif
    return Baseline(arguments...);
  }
};

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_PROCESSOR_H_
