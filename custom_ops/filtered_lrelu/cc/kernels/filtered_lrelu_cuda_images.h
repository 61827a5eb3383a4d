// Images as filtered_lrelu's CUDA kernels read and write them: any element type, 8 channels at a time in shared memory.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_IMAGES_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_IMAGES_H_

#include "custom_ops/common/cc/kernels/cuda_elements.h"

#if defined(SG_KERAS_CUDA_EMULATION)
#define __grid_constant__
#endif

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

constexpr int kLanes = 8;  // channels of a block of threads: 32 bytes of a pixel of floats, a byte of each mask half
constexpr int kMaskChannels = 16;
constexpr int kTapsOfAPhase = 6;  // in StyleGAN3; kernels with factors known to the compiler are for these

__host__ __device__ __forceinline__ int DivideUp(int a, int b) { return (a + b - 1) / b; }
__host__ __device__ __forceinline__ int FloorDivide(int a, int b) { return a / b - (a % b != 0 && a < 0); }

struct Images {
  int type;
  int height;
  int width;
  int channels;
  bool packed;  // channels can be loaded by words
  const void* source;
  const void* bias;  // null: none
  void* target;
};

// A rectangle of `kLanes` channels of one image; may reach beyond the image.
struct Window {
  int64_t image;
  int channel;
  int row;
  int column;
  int rows;
  int columns;
};

// Walks over (line, run) with `kThreads` threads in groups of `kGroup`, lines side by side; no division on the way.
template <int kGroup, int kThreads>
struct Walk {
  int lines;
  int line;
  int run;

  __device__ __forceinline__ explicit Walk(int lines) : lines(lines) {
    const int first = static_cast<int>(threadIdx.x) / kGroup;
    line = first % lines;
    run = first / lines;
  }

  __device__ __forceinline__ void Next() {
    for (line += kThreads / kGroup; line >= lines; line -= lines) ++run;
  }
};

// Copies a window plus bias into shared memory, rows of `stride` pixels; zeros outside and beyond the channels.
template <int kThreads, typename T, int kPack, typename A>
__device__ __forceinline__ void LoadWindowAs(const Images& images, const Window& window, int stride, A* pixels) {
  constexpr int kPacks = kLanes / kPack;
  const int64_t first = window.image * images.height * images.width;
  const T* source = static_cast<const T*>(images.source) + first * images.channels;
  const T* bias = static_cast<const T*>(images.bias);
  const int lane = static_cast<int>(threadIdx.x) % kPacks * kPack;
  const int channel = window.channel + lane;
  for (Walk<kPacks, kThreads> at(window.columns); at.run < window.rows; at.Next()) {
    const int row = window.row + at.run;
    const int column = window.column + at.line;
    A values[kPack] = {};
    if (row >= 0 && row < images.height && column >= 0 && column < images.width && channel < images.channels) {
      LoadPack<kPack>(source + (int64_t{row} * images.width + column) * images.channels + channel, values);
      SG_KERAS_UNROLL
      for (int i = 0; i < kPack; ++i) values[i] += bias == nullptr ? A(0) : Load(bias[channel + i]);
    }
    A* target = pixels + (at.run * stride + at.line) * kLanes + lane;
    SG_KERAS_UNROLL
    for (int i = 0; i < kPack; ++i) target[i] = values[i];
  }
}

template <int kThreads, typename T, typename A>
__device__ __forceinline__ void LoadWindowOf(const Images& images, const Window& window, int stride, A* pixels) {
  constexpr int kPack = kWordPack<T> < kLanes ? kWordPack<T> : kLanes;
  if (images.packed) {
    LoadWindowAs<kThreads, T, kPack>(images, window, stride, pixels);
  } else {
    LoadWindowAs<kThreads, T, 1>(images, window, stride, pixels);
  }
}

template <int kThreads>
__device__ __forceinline__ void LoadWindow(const Images& images, const Window& window, int stride, float* pixels) {
  switch (images.type) {
    case SG_KERAS_FLOAT16:
      return LoadWindowOf<kThreads, __half>(images, window, stride, pixels);
    case SG_KERAS_BFLOAT16:
      return LoadWindowOf<kThreads, __nv_bfloat16>(images, window, stride, pixels);
    default:
      return LoadWindowOf<kThreads, float>(images, window, stride, pixels);
  }
}

template <int kThreads>
__device__ __forceinline__ void LoadWindow(const Images& images, const Window& window, int stride, double* pixels) {
  LoadWindowOf<kThreads, double>(images, window, stride, pixels);
}

__device__ __forceinline__ void StoreElement(const Images& images, int64_t offset, float value) {
  switch (images.type) {
    case SG_KERAS_FLOAT16:
      return Store(value, static_cast<__half*>(images.target) + offset);
    case SG_KERAS_BFLOAT16:
      return Store(value, static_cast<__nv_bfloat16*>(images.target) + offset);
    default:
      return Store(value, static_cast<float*>(images.target) + offset);
  }
}

__device__ __forceinline__ void StoreElement(const Images& images, int64_t offset, double value) {
  static_cast<double*>(images.target)[offset] = value;
}

// Stores a pixel's channel unless it lies outside; returns what it adds to the channel's sum.
template <typename A>
__device__ __forceinline__ A PutPixel(const Images& images, int64_t image, int row, int column, int channel, A value) {
  if (row >= images.height || column >= images.width || channel >= images.channels) return A(0);
  const int64_t pixel = (image * images.height + row) * images.width + column;
  StoreElement(images, pixel * images.channels + channel, value);
  return value;
}

// Adds up the threads' sums of each channel and writes those of the block, sums[part][channel]. `scratch` has room for
// a number of each thread; what it held is not needed any more.
template <int kThreads, typename A>
__device__ __forceinline__ void WriteSums(const Images& images, int64_t part, int first_channel, A total, A* scratch,
                                          A* sums) {
  __syncthreads();
  scratch[threadIdx.x] = total;
  __syncthreads();
  const int channel = first_channel + static_cast<int>(threadIdx.x);
  if (threadIdx.x >= kLanes || channel >= images.channels) return;
  A sum = 0;
  for (int slot = 0; slot < kThreads / kLanes; ++slot) sum += scratch[slot * kLanes + threadIdx.x];
  sums[part * images.channels + channel] = sum;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_CUDA_IMAGES_H_
