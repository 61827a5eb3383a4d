// A small emulator of CUDA's blocks and threads on one CPU thread, for tests without a GPU.
//
// The threads of a block are fibers: each runs until it comes to __syncthreads() or its end, then the next. Blocks run
// one after another. Order is part of the test: SetDescending(true) runs threads and blocks from the last to the first,
// so that kernels that lack a barrier give another result; SetMostBlocks(n) cuts the first axis of the grid, so that
// kernels whose blocks loop over more work than there are blocks do loop. Dynamic shared memory is filled with NaN
// before each block and, being allocated to the byte, guarded by AddressSanitizer.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_EMULATION_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_EMULATION_H_

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// ------------------------------------------------------------------------------------------ the language

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static thread_local

struct dim3 {
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  unsigned x, y, z;
};

inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

// ------------------------------------------------------------------------------------------ the runtime

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInvalidConfiguration = 9 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToDevice = 3 };

inline const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    default:
      return "invalid configuration argument";
  }
}

inline cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  std::memcpy(target, source, bytes);
  return cudaSuccess;
}

inline cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t) {
  std::memset(target, value, bytes);
  return cudaSuccess;
}

namespace sg_keras {
namespace emulation {

constexpr size_t kStackBytes = 256 * 1024;  // of a fiber; sanitizers want more than the kernels do
constexpr unsigned kMostThreads = 1024;
constexpr unsigned kMostBlocksYZ = 65535;
constexpr size_t kShared = 48 * 1024;
constexpr size_t kMostShared = 227 * 1024;

struct Fiber {
  Fiber() { getcontext(&context); }
  std::unique_ptr<char[]> stack{new char[kStackBytes]};
  ucontext_t context;
  dim3 index;
  bool finished;
  void* sanitizer_stack;
};

struct Device {
  std::deque<Fiber> fibers;  // which must not move in memory: contexts point into themselves
  ucontext_t scheduler;
  void* sanitizer_stack = nullptr;
  const void* scheduler_stack = nullptr;
  size_t scheduler_stack_bytes = 0;
  Fiber* running = nullptr;
  const std::function<void()>* kernel = nullptr;
  std::unique_ptr<char[]> shared;
  std::map<const void*, size_t> allowed_shared;  // by AllowSharedMemory
  cudaError_t error = cudaSuccess;
  bool descending = false;
  unsigned most_blocks = ~0u;
};

inline Device& ThisDevice() {
  static thread_local Device device;
  return device;
}

inline void SetDescending(bool descending) { ThisDevice().descending = descending; }
inline void SetMostBlocks(unsigned blocks) { ThisDevice().most_blocks = blocks; }
inline void* DynamicShared() { return ThisDevice().shared.get(); }

// AddressSanitizer has to be told on which stack the program runs.
#if defined(__SANITIZE_ADDRESS__)
inline void LeaveStack(void** own, const void* next, size_t bytes) { __sanitizer_start_switch_fiber(own, next, bytes); }
inline void EnterStack(void* own, const void** last, size_t* bytes) {
  __sanitizer_finish_switch_fiber(own, last, bytes);
}
#else
inline void LeaveStack(void**, const void*, size_t) {}
inline void EnterStack(void*, const void**, size_t*) {}
#endif

// Back to the scheduler; returns when it is this fiber's turn again.
inline void Yield() {
  Device& device = ThisDevice();
  Fiber* fiber = device.running;
  LeaveStack(fiber->finished ? nullptr : &fiber->sanitizer_stack, device.scheduler_stack, device.scheduler_stack_bytes);
  swapcontext(&fiber->context, &device.scheduler);
  EnterStack(fiber->sanitizer_stack, &device.scheduler_stack, &device.scheduler_stack_bytes);
}

inline void RunFiber() {
  Device& device = ThisDevice();
  EnterStack(nullptr, &device.scheduler_stack, &device.scheduler_stack_bytes);
  (*device.kernel)();
  device.running->finished = true;
  Yield();
}

inline void Resume(Fiber* fiber) {
  Device& device = ThisDevice();
  device.running = fiber;
  threadIdx = fiber->index;
  LeaveStack(&device.sanitizer_stack, fiber->stack.get(), kStackBytes);
  swapcontext(&device.scheduler, &fiber->context);
  EnterStack(device.sanitizer_stack, nullptr, nullptr);
}

inline void RunBlock(unsigned threads) {
  Device& device = ThisDevice();
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = device.fibers[i];
    fiber.index = dim3(i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y);
    fiber.finished = false;
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, RunFiber, 0);
  }
  for (unsigned left = threads; left > 0;) {
    for (unsigned i = 0; i < threads; ++i) {
      Fiber& fiber = device.fibers[device.descending ? threads - 1 - i : i];
      if (fiber.finished) continue;
      Resume(&fiber);
      left -= fiber.finished;
    }
  }
}

inline cudaError_t CheckLaunch(const void* kernel, dim3 grid, dim3 block, size_t shared_bytes) {
  Device& device = ThisDevice();
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const bool fits = threads > 0 && threads <= kMostThreads && grid.x > 0 && grid.x < (1u << 31) && grid.y > 0 &&
                    grid.y <= kMostBlocksYZ && grid.z > 0 && grid.z <= kMostBlocksYZ;
  if (!fits) return cudaErrorInvalidConfiguration;
  const auto allowed = device.allowed_shared.find(kernel);
  const size_t limit = allowed == device.allowed_shared.end() ? kShared : allowed->second;
  return shared_bytes <= limit ? cudaSuccess : cudaErrorInvalidValue;
}

template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, const Arguments&... arguments) {
  Device& device = ThisDevice();
  const cudaError_t error = CheckLaunch(reinterpret_cast<const void*>(kernel), grid, block, shared_bytes);
  if (error != cudaSuccess) {
    device.error = error;
    return;
  }
  const std::function<void()> call = [&] { kernel(arguments...); };
  device.kernel = &call;
  const unsigned threads = block.x * block.y * block.z;
  while (device.fibers.size() < threads) device.fibers.emplace_back();
  blockDim = block;
  grid.x = std::min(grid.x, device.most_blocks);
  gridDim = grid;
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t b = device.descending ? blocks - 1 - i : i;
    blockIdx = dim3(b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y);
    device.shared.reset(new char[shared_bytes]);
    std::memset(device.shared.get(), 0xff, shared_bytes);
    RunBlock(threads);
  }
}

// ------------------------------------------------------------------------------------------ 16-bit numbers

inline uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

inline uint16_t HalfBits(float value) {  // to nearest, halves to even
  const uint32_t sign = BitsOf(value) >> 16 & 0x8000;
  const uint32_t magnitude = BitsOf(value) & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7fff;  // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | (BitsOf(FloatOf(magnitude) + 0.5f) - BitsOf(0.5f));  // subnormal
  return sign | ((magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13);
}

inline float HalfValue(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} << 16 & 0x80000000;
  const uint32_t magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return FloatOf(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude < 0x400) return FloatOf(sign | BitsOf(magnitude * 0x1p-24f));
  return FloatOf(sign | ((magnitude << 13) + 0x38000000));
}

}  // namespace emulation
}  // namespace sg_keras

inline void __syncthreads() { sg_keras::emulation::Yield(); }

inline cudaError_t cudaGetLastError() {
  cudaError_t& error = sg_keras::emulation::ThisDevice().error;
  const cudaError_t last = error;
  error = cudaSuccess;
  return last;
}

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel* kernel, cudaFuncAttribute, int bytes) {
  if (bytes < 0 || static_cast<size_t>(bytes) > sg_keras::emulation::kMostShared) return cudaErrorInvalidValue;
  sg_keras::emulation::ThisDevice().allowed_shared[reinterpret_cast<const void*>(kernel)] = bytes;
  return cudaSuccess;
}

struct __half {
  uint16_t bits;
};
inline float __half2float(__half value) { return sg_keras::emulation::HalfValue(value.bits); }
inline __half __float2half_rn(float value) { return {sg_keras::emulation::HalfBits(value)}; }

struct __nv_bfloat16 {
  uint16_t bits;
};
inline float __bfloat162float(__nv_bfloat16 value) {
  return sg_keras::emulation::FloatOf(static_cast<uint32_t>(value.bits) << 16);
}
inline __nv_bfloat16 __float2bfloat16_rn(float value) {
  const uint32_t bits = sg_keras::emulation::BitsOf(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return {0x7fff};
  return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_EMULATION_H_
