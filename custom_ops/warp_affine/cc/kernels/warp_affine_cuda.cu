// Bilinear warps on GPUs. All three maps are gathers in a fixed order: no atomics, the same bits on every device.
//
// Bound by memory and, for images of few channels, by the latency of the neighbours' loads: a pixel of the result
// takes 4 loads a channel, nearly all from the L1 cache, about 20 operations in double precision for its position, and
// 4 multiply-adds a channel. The transposed map looks at the pixels of the result whose positions can lie within one
// pixel of its own, 4 to 9 at scale 1, found by inverting the map; so it costs a few times the warp itself.

#include "custom_ops/warp_affine/cc/kernels/warp_affine_cuda.h"

#include <algorithm>

#include "custom_ops/common/cc/kernels/cuda_elements.h"
#include "custom_ops/warp_affine/cc/kernels/warp_affine_positions_cuda.h"

namespace sg_keras {
namespace cuda {
namespace warp_affine {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = int64_t{1} << 30;
constexpr int kFewChannels = 4;       // that a thread takes one by one, where there are no packs
constexpr int64_t kMostChunks = 128;  // of an image, in the derivative by its matrix
constexpr int64_t kChunkPixels = 16 * kThreads;
constexpr int kSums = 6;

template <typename Call>
WarpSizes SizesOf(const Call& call) {
  return {call.images,      call.channels,      call.input_height,
          call.input_width, call.output_height, call.output_width};
}

// The part of a row that a thread computes: `channels` channels of one pixel.
struct Place {
  int64_t image;
  int64_t row;
  int64_t column;
  int64_t channel;
  int64_t channels;  // 0: nothing
};

// Rows of `width` pixels, cut into runs for the blocks of threads.
struct Runs {
  int64_t height;
  int64_t width;
  int64_t channels;
  int64_t step;    // channels of a thread
  int64_t groups;  // threads of a pixel
  int64_t runs;    // blocks of a row
  int64_t blocks;

  Runs(int64_t images, int64_t height, int64_t width, int64_t channels, int64_t step)
      : height(height),
        width(width),
        channels(channels),
        step(step),
        groups((channels + step - 1) / step),
        runs((width * groups + kThreads - 1) / kThreads),
        blocks(images * height * runs) {}

  dim3 Grid() const { return dim3(static_cast<unsigned>(std::min(blocks, kMostBlocks))); }

  __device__ Place PlaceOf(int64_t block) const {
    const int64_t item = block % runs * kThreads + threadIdx.x;
    const int64_t line = block / runs;
    const int64_t column = item / groups;
    const int64_t channel = item % groups * step;
    const int64_t left = channels - channel;
    return {line / height, line % height, column, channel, column < width ? (left < step ? left : step) : 0};
  }
};

// ------------------------------------------------------------------------------------------ warp

template <typename T, int kPack>
__device__ __forceinline__ void AddNeighbour(const T* pixel, int64_t channels, Number<T> weight, Number<T>* sums) {
  if constexpr (kPack > 1) {
    Number<T> values[kPack];
    LoadPack<kPack>(pixel, values);
    SG_KERAS_UNROLL
    for (int c = 0; c < kPack; ++c) sums[c] += weight * values[c];
  } else {
    SG_KERAS_UNROLL
    for (int c = 0; c < kFewChannels; ++c) {
      if (c < channels) sums[c] += weight * Load(pixel[c]);
    }
  }
}

template <typename T, int kPack>
__device__ __forceinline__ void StoreSums(const Number<T>* sums, int64_t channels, T* pixel) {
  if constexpr (kPack > 1) {
    StorePack<kPack>(sums, pixel);
  } else {
    SG_KERAS_UNROLL
    for (int c = 0; c < kFewChannels; ++c) {
      if (c < channels) Store(sums[c], &pixel[c]);
    }
  }
}

template <int kPack>
constexpr int kSumsOf = kPack > 1 ? kPack : kFewChannels;

template <typename T, typename M, int kPack>
__global__ void __launch_bounds__(kThreads)
    WarpKernel(WarpSizes g, Runs runs, const M* theta, const T* x, T* y) {
  for (int64_t block = blockIdx.x; block < runs.blocks; block += gridDim.x) {
    const Place p = runs.PlaceOf(block);
    if (p.channels == 0) continue;
    const WarpMap map = MapOf(theta, p.image, g);
    const double u = FromCentre(p.column, g.output_width);
    const double v = FromCentre(p.row, g.output_height);
    const Neighbours<Number<T>> across = Locate<Number<T>>(map.x, u, v, g.input_width);
    const Neighbours<Number<T>> down = Locate<Number<T>>(map.y, u, v, g.input_height);
    const T* image = x + p.image * g.input_height * g.input_width * g.channels;
    Number<T> sums[kSumsOf<kPack>] = {};
    SG_KERAS_UNROLL
    for (int k = 0; k < 4; ++k) {
      const int64_t row = down.first + k / 2;
      const int64_t column = across.first + k % 2;
      if (row < 0 || row >= g.input_height || column < 0 || column >= g.input_width) continue;
      const T* pixel = image + (row * g.input_width + column) * g.channels + p.channel;
      AddNeighbour<T, kPack>(pixel, p.channels, down.weights[k / 2] * across.weights[k % 2], sums);
    }
    T* target = y + ((p.image * g.output_height + p.row) * g.output_width + p.column) * g.channels + p.channel;
    StoreSums<T, kPack>(sums, p.channels, target);
  }
}

// ------------------------------------------------------------------------------------------ transposed map

template <typename T, int kPack>
__device__ __forceinline__ void AddRow(const WarpSizes& g, const WarpMap& map, const Place& p, int64_t row, const T* dy,
                                       Number<T>* sums) {
  const double v = FromCentre(row, g.output_height);
  const Range by_x = ColumnsNear(map.x, v, static_cast<double>(p.column), g.output_width);
  const Range by_y = ColumnsNear(map.y, v, static_cast<double>(p.row), g.output_width);
  const int64_t end = by_x.end < by_y.end ? by_x.end : by_y.end;
  for (int64_t column = by_x.begin > by_y.begin ? by_x.begin : by_y.begin; column < end; ++column) {
    const double u = FromCentre(column, g.output_width);
    const Number<T> across = WeightAt(Locate<Number<T>>(map.x, u, v, g.input_width), p.column);
    const Number<T> down = WeightAt(Locate<Number<T>>(map.y, u, v, g.input_height), p.row);
    if (across == 0 || down == 0) continue;
    const T* pixel = dy + ((p.image * g.output_height + row) * g.output_width + column) * g.channels + p.channel;
    AddNeighbour<T, kPack>(pixel, p.channels, down * across, sums);
  }
}

template <typename T, typename M, int kPack>
__global__ void __launch_bounds__(kThreads)
    TransposeKernel(WarpSizes g, Runs runs, const M* theta, const T* dy, T* dx) {
  for (int64_t block = blockIdx.x; block < runs.blocks; block += gridDim.x) {
    const Place p = runs.PlaceOf(block);
    if (p.channels == 0) continue;
    const WarpMap map = MapOf(theta, p.image, g);
    Number<T> sums[kSumsOf<kPack>] = {};
    if (IsFinite(map.x) && IsFinite(map.y)) {
      const Range rows = RowsNear(map, static_cast<double>(p.column), static_cast<double>(p.row), g.output_height);
      for (int64_t row = rows.begin; row < rows.end; ++row) AddRow<T, kPack>(g, map, p, row, dy, sums);
    }
    T* target = dx + ((p.image * g.input_height + p.row) * g.input_width + p.column) * g.channels + p.channel;
    StoreSums<T, kPack>(sums, p.channels, target);
  }
}

// ------------------------------------------------------------------------------------------ derivative by the matrix

// The sum over channels of dy times each neighbour, 0 for those outside.
template <typename T>
__device__ __forceinline__ void DotNeighbours(const WarpSizes& g, const T* dy, const T* image, int64_t row,
                                              int64_t column, Number<T>* dots) {
  SG_KERAS_UNROLL
  for (int k = 0; k < 4; ++k) {
    const int64_t r = row + k / 2;
    const int64_t c = column + k % 2;
    Number<T> dot = 0;
    if (r >= 0 && r < g.input_height && c >= 0 && c < g.input_width) {
      const T* pixel = image + (r * g.input_width + c) * g.channels;
      for (int64_t i = 0; i < g.channels; ++i) dot += Load(dy[i]) * Load(pixel[i]);
    }
    dots[k] = dot;
  }
}

// Adds what a pixel of the result contributes to the derivatives by (column_step, row_step, offset) of x, then of y.
template <typename T>
__device__ __forceinline__ void AddPixel(const WarpSizes& g, const WarpMap& map, int64_t pixel, const T* dy,
                                         const T* image, double* sums) {
  const double u = FromCentre(pixel % g.output_width, g.output_width);
  const double v = FromCentre(pixel / g.output_width, g.output_height);
  const Neighbours<Number<T>> across = Locate<Number<T>>(map.x, u, v, g.input_width);
  const Neighbours<Number<T>> down = Locate<Number<T>>(map.y, u, v, g.input_height);
  Number<T> dots[4];
  DotNeighbours(g, dy + pixel * g.channels, image, down.first, across.first, dots);
  const double by_x = down.weights[0] * (dots[1] - dots[0]) + down.weights[1] * (dots[3] - dots[2]);
  const double by_y = across.weights[0] * (dots[2] - dots[0]) + across.weights[1] * (dots[3] - dots[1]);
  sums[0] += by_x * u;
  sums[1] += by_x * v;
  sums[2] += by_x;
  sums[3] += by_y * u;
  sums[4] += by_y * v;
  sums[5] += by_y;
}

struct Chunks {
  int64_t count;
  int64_t pixels;

  explicit Chunks(const WarpSizes& g) {
    const int64_t all = g.output_height * g.output_width;
    pixels = std::max(kChunkPixels, (all + kMostChunks - 1) / kMostChunks);
    count = (all + pixels - 1) / pixels;
  }
};

// Sums over the pixels of a chunk, [images, chunks, 6].
template <typename T, typename M>
__global__ void __launch_bounds__(kThreads)
    MatrixSumsKernel(WarpSizes g, Chunks chunks, const M* theta, const T* dy, const T* x, double* chunk_sums) {
  __shared__ double shared[kSums * kThreads];
  for (int64_t block = blockIdx.x; block < g.images * chunks.count; block += gridDim.x) {
    const int64_t image = block / chunks.count;
    const int64_t begin = block % chunks.count * chunks.pixels;
    const int64_t all = g.output_height * g.output_width;
    const int64_t end = begin + chunks.pixels < all ? begin + chunks.pixels : all;
    const WarpMap map = MapOf(theta, image, g);
    double sums[kSums] = {};
    for (int64_t pixel = begin + threadIdx.x; pixel < end; pixel += kThreads) {
      AddPixel(g, map, pixel, dy + image * all * g.channels,
               x + image * g.input_height * g.input_width * g.channels, sums);
    }
    SG_KERAS_UNROLL
    for (int i = 0; i < kSums; ++i) shared[i * kThreads + threadIdx.x] = sums[i];
    __syncthreads();
    for (unsigned half = kThreads / 2; half > 0; half /= 2) {
      for (int i = 0; i < kSums && threadIdx.x < half; ++i) {
        shared[i * kThreads + threadIdx.x] += shared[i * kThreads + threadIdx.x + half];
      }
      __syncthreads();
    }
    if (threadIdx.x < kSums) chunk_sums[block * kSums + threadIdx.x] = shared[threadIdx.x * kThreads];
    __syncthreads();
  }
}

template <typename M>
__global__ void MatrixGradientKernel(WarpSizes g, Chunks chunks, const double* chunk_sums, M* dtheta) {
  const int64_t total = g.images * kSums;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < total; i += int64_t{gridDim.x} * kThreads) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks.count; ++chunk) {
      sum += chunk_sums[(i / kSums * chunks.count + chunk) * kSums + i % kSums];
    }
    const double size = static_cast<double>(i % kSums < 3 ? g.input_width : g.input_height);
    const double scales[3] = {size / g.output_width, size / g.output_height, size / 2};
    dtheta[i] = static_cast<M>(sum * scales[i % 3]);
  }
}

// ------------------------------------------------------------------------------------------ launches

template <typename T, typename M, int kPack>
void LaunchWarp(const SgKerasWarpAffine& call, void* stream) {
  const WarpSizes g = SizesOf(call);
  const Runs runs(g.images, g.output_height, g.output_width, g.channels, kSumsOf<kPack>);
  SG_KERAS_LAUNCH((WarpKernel<T, M, kPack>), runs.Grid(), dim3(kThreads), 0, stream, g, runs,
                  static_cast<const M*>(call.theta), static_cast<const T*>(call.source), static_cast<T*>(call.target));
}

template <typename T, typename M, int kPack>
void LaunchTranspose(const SgKerasWarpAffine& call, void* stream) {
  const WarpSizes g = SizesOf(call);
  const Runs runs(g.images, g.input_height, g.input_width, g.channels, kSumsOf<kPack>);
  SG_KERAS_LAUNCH((TransposeKernel<T, M, kPack>), runs.Grid(), dim3(kThreads), 0, stream, g, runs,
                  static_cast<const M*>(call.theta), static_cast<const T*>(call.source), static_cast<T*>(call.target));
}

template <typename T, typename M>
void LaunchMatrixGradient(const SgKerasWarpAffineMatrixGradient& call, void* stream) {
  const WarpSizes g = SizesOf(call);
  const Chunks chunks(g);
  double* chunk_sums = static_cast<double*>(call.workspace);
  const int64_t blocks = g.images * chunks.count;
  if (blocks > 0) {
    SG_KERAS_LAUNCH((MatrixSumsKernel<T, M>), dim3(static_cast<unsigned>(std::min(blocks, kMostBlocks))),
                    dim3(kThreads), 0, stream, g, chunks, static_cast<const M*>(call.theta),
                    static_cast<const T*>(call.dy), static_cast<const T*>(call.x), chunk_sums);
  }
  const int64_t sum_blocks = (g.images * kSums + kThreads - 1) / kThreads;
  SG_KERAS_LAUNCH((MatrixGradientKernel<M>), dim3(static_cast<unsigned>(std::min(sum_blocks, kMostBlocks))),
                  dim3(kThreads), 0, stream, g, chunks, chunk_sums, static_cast<M*>(call.dtheta));
}

// Calls launch(T{}, M{}) with the types of elements and matrices.
template <typename Launch>
int WithTypes(int32_t type, int32_t matrix_type, const Launch& launch) {
  return WithType(type, [&](auto element) {
    switch (matrix_type) {
      case SG_KERAS_FLOAT32:
        return launch(element, float{});
      case SG_KERAS_FLOAT64:
        return launch(element, double{});
      default:
        return static_cast<int>(cudaErrorInvalidValue);
    }
  });
}

bool IsEmpty(const SgKerasWarpAffine& call, int64_t height, int64_t width) {
  return call.images == 0 || call.channels == 0 || height == 0 || width == 0;
}

}  // namespace
}  // namespace warp_affine
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras;        // NOLINT: the launchers are C
using namespace sg_keras::cuda;  // NOLINT
using namespace sg_keras::cuda::warp_affine;  // NOLINT

int sg_keras_cuda_warp_affine(const SgKerasWarpAffine* call, void* stream) {
  if (IsEmpty(*call, call->output_height, call->output_width)) return 0;
  return WithTypes(call->type, call->matrix_type, [&](auto element, auto matrix) {
    using T = decltype(element);
    using M = decltype(matrix);
    WithPack<T>(FitsWords<T>(call->channels, call->source, call->target),
                [&](auto pack) { LaunchWarp<T, M, pack()>(*call, stream); });
    return LastError();
  });
}

int sg_keras_cuda_warp_affine_transpose(const SgKerasWarpAffine* call, void* stream) {
  if (IsEmpty(*call, call->input_height, call->input_width)) return 0;
  return WithTypes(call->type, call->matrix_type, [&](auto element, auto matrix) {
    using T = decltype(element);
    using M = decltype(matrix);
    WithPack<T>(FitsWords<T>(call->channels, call->source, call->target),
                [&](auto pack) { LaunchTranspose<T, M, pack()>(*call, stream); });
    return LastError();
  });
}

int sg_keras_cuda_warp_affine_matrix_gradient(const SgKerasWarpAffineMatrixGradient* call, void* stream) {
  if (call->images == 0) return 0;
  return WithTypes(call->type, call->matrix_type, [&](auto element, auto matrix) {
    LaunchMatrixGradient<decltype(element), decltype(matrix)>(*call, stream);
    return LastError();
  });
}

int64_t sg_keras_cuda_warp_affine_matrix_gradient_workspace(const SgKerasWarpAffineMatrixGradient* call) {
  const WarpSizes g = SizesOf(*call);
  return g.images * Chunks(g).count * kSums * static_cast<int64_t>(sizeof(double));
}
