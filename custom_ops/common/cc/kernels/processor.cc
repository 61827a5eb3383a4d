#include "custom_ops/common/cc/kernels/processor.h"

#include <cstdlib>
#include <cstring>

namespace sg_keras {
namespace {

#if defined(SG_KERAS_HAS_AVX)

#if __GNUC__ >= 12
bool HasAvx512() { return __builtin_cpu_supports("x86-64-v4"); }
bool HasAvx2() { return __builtin_cpu_supports("x86-64-v3"); }
#else
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

// Values that are not known are refused by sg_keras/ops/library.py, before it loads the library.
Processor NewestAllowed() {
  const char* name = std::getenv("SG_KERAS_PROCESSOR");
  if (name != nullptr && std::strcmp(name, "baseline") == 0) return Processor::kBaseline;
  if (name != nullptr && std::strcmp(name, "avx2") == 0) return Processor::kAvx2;
  return Processor::kAvx512;
}

Processor FindProcessor() {
  __builtin_cpu_init();  // a library's variables may be set before its compiler's own
  const Processor newest = NewestAllowed();
  if (newest == Processor::kAvx512 && HasAvx512()) return Processor::kAvx512;
  if (newest != Processor::kBaseline && HasAvx2()) return Processor::kAvx2;
  return Processor::kBaseline;
}

constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};

#else

Processor FindProcessor() { return Processor::kBaseline; }

constexpr const char* kNames[] = {"baseline"};

#endif

}  // namespace

const Processor kProcessor = FindProcessor();

}  // namespace sg_keras

// Whose code runs in this process: baseline, avx2 or avx512. sg_keras.tools.doctor shows it.
extern "C" __attribute__((visibility("default"))) const char* sg_keras_processor() {
  return sg_keras::kNames[static_cast<int>(sg_keras::kProcessor)];
}
