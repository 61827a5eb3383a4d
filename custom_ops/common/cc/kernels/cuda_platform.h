// What the CUDA sources (*_cuda.cu) are compiled against: CUDA itself under nvcc, or, with SG_KERAS_CUDA_EMULATION and
// a plain C++ compiler (g++ -x c++), a small emulator of blocks and threads, so that the same kernels run and can be
// checked by sanitizers where there is no GPU. Nothing here or in a .cu file knows TensorFlow.
//
// Conventions of the .cu files:
//  * `<op>_cuda.h` is plain C: a struct of parameters (one field a line; int32_t, int64_t, double, pointers, fixed-size
//    arrays: tests/gpu reads it) and SG_KERAS_CUDA_API launchers
//    `int sg_keras_cuda_<name>(const struct SgKeras<Name>* call, void* stream)` that return a cudaError_t, 0 where the
//    kernels were launched. One that needs memory of its own has a field `workspace` and a function
//    `int64_t sg_keras_cuda_<name>_workspace(const struct SgKeras<Name>* call)` of its bytes.
//  * Kernels are launched by SG_KERAS_LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...); a template goes
//    in parentheses: SG_KERAS_LAUNCH((Kernel<float, 4>), ...). Then `return LastError()`.
//  * Dynamic shared memory is SG_KERAS_DYNAMIC_SHARED(type, name); more than 48 KB needs AllowSharedMemory(kernel,
//    bytes). SG_KERAS_UNROLL stands before loops to unroll, SG_KERAS_NOINLINE before device functions.
//  * No warp intrinsics, no atomics: sums have one order, which depends on shapes alone.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_PLATFORM_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_PLATFORM_H_

#if defined(SG_KERAS_CUDA_EMULATION)

#include "custom_ops/common/cc/kernels/cuda_emulation.h"

#define SG_KERAS_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (static_cast<void>(stream), ::sg_keras::emulation::Launch(kernel, grid, block, shared_bytes, __VA_ARGS__))
#define SG_KERAS_UNROLL _Pragma("GCC unroll 32")
#define SG_KERAS_NOINLINE inline __attribute__((noinline))
#define SG_KERAS_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::sg_keras::emulation::DynamicShared())

#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define SG_KERAS_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (kernel)<<<grid, block, shared_bytes, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__)
#define SG_KERAS_UNROLL _Pragma("unroll")
#define SG_KERAS_NOINLINE inline __device__ __noinline__
#define SG_KERAS_DYNAMIC_SHARED(T, name)                                   \
  extern __shared__ __align__(16) unsigned char sg_keras_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(sg_keras_dynamic_shared)

#endif

namespace sg_keras {

constexpr int kSharedBytes = 48 * 1024;       // a block may have these without asking
constexpr int kMostSharedBytes = 99 * 1024;   // on every device from sm_80 on, by AllowSharedMemory

// The result of a launcher: whether its kernels could be launched.
inline int LastError() { return static_cast<int>(cudaGetLastError()); }

// Lets a kernel have more than 48 KB of dynamic shared memory. Returns a cudaError_t.
template <typename Kernel>
int AllowSharedMemory(Kernel* kernel, int bytes) {
  if (bytes <= kSharedBytes) return static_cast<int>(cudaSuccess);
  return static_cast<int>(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
}

}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_PLATFORM_H_
