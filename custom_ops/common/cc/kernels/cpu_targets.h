// Compiles a function for several generations of x86-64 processors; the best is chosen when the library is loaded.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CPU_TARGETS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CPU_TARGETS_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define SG_KERAS_CPU_TARGETS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// Before GCC 12 an architecture level could not be dispatched on.
#define SG_KERAS_CPU_TARGETS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SG_KERAS_CPU_TARGETS
#endif

// Templates called from such a function must be inlined into it to be compiled for its processors.
#define SG_KERAS_INLINE inline __attribute__((always_inline))

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_CPU_TARGETS_H_
