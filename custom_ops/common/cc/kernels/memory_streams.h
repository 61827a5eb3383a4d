// Reading ahead and writing past the caches: what ops that are bound by memory need.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_MEMORY_STREAMS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_MEMORY_STREAMS_H_

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "custom_ops/common/cc/kernels/cpu_targets.h"

namespace sg_keras {

// ------------------------------------------------------------------------------------------ reading

constexpr int64_t kCacheLine = 64;  // bytes

// How far loops over several streams read ahead. A processor does so by itself, well where a loop has one stream, but
// badly where it has more: the gradient of bias_act took 4.7 ms instead of 2.5 without. Anything from 256 bytes will do.
constexpr int64_t kReadAhead = 1024;  // bytes

// Fetches what lies kReadAhead after elements that are about to be read. It may lie past the end. Loops over less than a
// cache line are not bound by memory, and are spared.
template <typename T>
SG_KERAS_INLINE void ReadAhead(const T* elements, int64_t count) {
  const char* bytes = reinterpret_cast<const char*>(elements) + kReadAhead;
  if (count * static_cast<int64_t>(sizeof(T)) < kCacheLine) return;
#pragma GCC unroll 4
  for (int64_t offset = 0; offset < count * static_cast<int64_t>(sizeof(T)); offset += kCacheLine) {
    __builtin_prefetch(bytes + offset);
  }
}

// ------------------------------------------------------------------------------------------ writing

// Where an op's result goes. An ordinary store first reads the line it writes into; one past the caches does not, but
// the next op then finds nothing in them.
enum class Destination { kCache, kMemory };

// Results beyond this do not stay in a last-level cache until the next op reads them, not even in part. It is not asked
// of the machine: virtual ones were seen to claim twelve times the cache they had.
constexpr int64_t kLargestCached = 24 << 20;  // bytes

inline Destination DestinationOf(int64_t bytes) {
  return bytes > kLargestCached ? Destination::kMemory : Destination::kCache;
}

// Copies elements to memory, past the caches. `FinishStores` must follow before another thread reads them.
template <typename T>
SG_KERAS_INLINE void StoreToMemory(const T* from, int64_t count, T* to) {
#if defined(__x86_64__)
  constexpr int64_t kWord = 16;
  const char* source = reinterpret_cast<const char*>(from);
  char* target = reinterpret_cast<char*>(to);
  int64_t bytes = count * sizeof(T);
  const int64_t head = std::min<int64_t>(bytes, -reinterpret_cast<uintptr_t>(target) % kWord);
  std::memcpy(target, source, head);
  source += head;
  target += head;
  bytes -= head;
  const int64_t words = bytes - bytes % kWord;
#pragma GCC unroll 4
  for (int64_t i = 0; i < words; i += kWord) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(target + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + i)));
  }
  std::memcpy(target + words, source + words, bytes - words);
#else
  std::memcpy(to, from, count * sizeof(T));
#endif
}

SG_KERAS_INLINE void FinishStores() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_MEMORY_STREAMS_H_
