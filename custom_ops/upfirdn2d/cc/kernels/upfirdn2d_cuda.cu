#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_cuda.h"

#include <vector>

#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_four_taps_cuda.h"
#include "custom_ops/upfirdn2d/cc/kernels/upfirdn2d_tiles_cuda.h"

namespace sg_keras {
namespace cuda {
namespace {

// ------------------------------------------------------------------------------------------ filters of any length

constexpr int kArgumentBytes = 3072;  // of taps that travel with the launch; longer filters are copied to the workspace

template <typename A>
struct Taps {
  static constexpr int kMost = kArgumentBytes / sizeof(A);
  A values[kMost];
  const A* many;  // on the device, or null
  int count;
};

template <typename A>
__device__ __forceinline__ void CopyTaps(const Taps<A>& taps, A* shared) {
  for (int i = threadIdx.y * blockDim.x + threadIdx.x; i < taps.count; i += blockDim.x * blockDim.y) {
    shared[i] = taps.many == nullptr ? taps.values[i] : taps.many[i];
  }
  __syncthreads();
}

// Which inputs result `place + o` of an axis reads: `taps` from `start` on, the first of them by tap `phase`.
struct Reads {
  int64_t start;
  int phase;
};

// The axis at the first result of a tile.
struct AxisPlace {
  int64_t start;  // last input at or before its position
  int rest;       // how far before, in pixels of the upsampled image
};

__device__ __forceinline__ AxisPlace AxisPlaceOf(const Axis& axis, int64_t result) {
  const int64_t position = result * axis.down - axis.pad;
  const int64_t start = position / axis.up - (position % axis.up < 0 ? 1 : 0);
  return {start, static_cast<int>(position - start * axis.up)};
}

__device__ __forceinline__ Reads ReadsOf(const Axis& axis, const AxisPlace& place, int o) {
  const int position = o * axis.down + place.rest;
  const int start = (position + axis.up - 1) / axis.up;
  return {place.start + start, start * axis.up - position};
}

// Columns of the image into shared memory, [tile's height][columns][channels] after the taps; then rows from there.
template <typename T, int kPack>
__global__ void __launch_bounds__(kTileThreads) SeparableKernel(Tiles tiles, Axis axis_y, Axis axis_x,
                                                                Taps<Number<T>> taps, int columns, const T* x, T* y) {
  using A = Number<T>;
  SG_KERAS_DYNAMIC_SHARED(A, shared);
  CopyTaps(taps, shared);
  A* lines = shared + (taps.count + 3) / 4 * 4;
  const A* taps_x = shared + axis_y.taps;
  const int pixel = tiles.lanes * kPack;
  for (int64_t tile = blockIdx.x; tile < tiles.Count(); tile += gridDim.x) {
    const TilePlace place = PlaceOf(tiles, tile, kPack);
    const bool works = place.channel < tiles.channels;
    const AxisPlace place_y = AxisPlaceOf(axis_y, place.y);
    const AxisPlace place_x = AxisPlaceOf(axis_x, place.x);
    const T* image = x + place.image * axis_y.size * axis_x.size * tiles.channels + place.channel;
    for (int item = threadIdx.y; works && item < columns * tiles.height; item += tiles.slots) {
      const int64_t source_x = place_x.start + item % columns;
      const Reads reads = ReadsOf(axis_y, place_y, item / columns);
      A sums[kPack] = {};
      int64_t row = reads.start;
      for (int t = reads.phase; t < axis_y.taps; t += axis_y.up, ++row) {
        if (source_x < 0 || source_x >= axis_x.size || row < 0 || row >= axis_y.size) continue;
        A values[kPack];
        LoadPack<kPack>(image + (row * axis_x.size + source_x) * tiles.channels, values);
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) sums[i] += shared[t] * values[i];
      }
      StorePack<kPack>(sums, lines + item * pixel + threadIdx.x * kPack);
    }
    __syncthreads();
    T* result = y + place.image * axis_y.result_size * axis_x.result_size * tiles.channels + place.channel;
    for (int item = threadIdx.y; works && item < tiles.width * tiles.height; item += tiles.slots) {
      const int64_t row = place.y + item / tiles.width;
      const int64_t column = place.x + item % tiles.width;
      if (row >= axis_y.result_size || column >= axis_x.result_size) continue;
      const Reads reads = ReadsOf(axis_x, place_x, item % tiles.width);
      const int first = static_cast<int>(reads.start - place_x.start);
      const A* source = lines + (item / tiles.width * columns + first) * pixel + threadIdx.x * kPack;
      A sums[kPack] = {};
      for (int t = reads.phase; t < axis_x.taps; t += axis_x.up, source += pixel) {
        A values[kPack];
        LoadPack<kPack>(source, values);
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) sums[i] += taps_x[t] * values[i];
      }
      StorePack<kPack>(sums, result + (row * axis_x.result_size + column) * tiles.channels);
    }
    __syncthreads();
  }
}

// Any matrix. The taps are in shared memory; neighbours' pixels come from the caches.
template <typename T, int kPack>
__global__ void __launch_bounds__(kTileThreads) MatrixKernel(Tiles tiles, Axis axis_y, Axis axis_x,
                                                             Taps<Number<T>> taps, const T* x, T* y) {
  using A = Number<T>;
  SG_KERAS_DYNAMIC_SHARED(A, shared);
  CopyTaps(taps, shared);
  for (int64_t tile = blockIdx.x; tile < tiles.Count(); tile += gridDim.x) {
    const TilePlace place = PlaceOf(tiles, tile, kPack);
    if (place.channel >= tiles.channels) continue;
    const AxisPlace place_y = AxisPlaceOf(axis_y, place.y);
    const AxisPlace place_x = AxisPlaceOf(axis_x, place.x);
    const T* image = x + place.image * axis_y.size * axis_x.size * tiles.channels + place.channel;
    T* result = y + place.image * axis_y.result_size * axis_x.result_size * tiles.channels + place.channel;
    for (int item = threadIdx.y; item < tiles.width * tiles.height; item += tiles.slots) {
      const int64_t row = place.y + item / tiles.width;
      const int64_t column = place.x + item % tiles.width;
      if (row >= axis_y.result_size || column >= axis_x.result_size) continue;
      const Reads reads_y = ReadsOf(axis_y, place_y, item / tiles.width);
      const Reads reads_x = ReadsOf(axis_x, place_x, item % tiles.width);
      A sums[kPack] = {};
      int64_t source_y = reads_y.start;
      for (int ty = reads_y.phase; ty < axis_y.taps; ty += axis_y.up, ++source_y) {
        if (source_y < 0 || source_y >= axis_y.size) continue;
        A line[kPack] = {};
        int64_t source_x = reads_x.start;
        for (int tx = reads_x.phase; tx < axis_x.taps; tx += axis_x.up, ++source_x) {
          if (source_x < 0 || source_x >= axis_x.size) continue;
          A values[kPack];
          LoadPack<kPack>(image + (source_y * axis_x.size + source_x) * tiles.channels, values);
          SG_KERAS_UNROLL
          for (int i = 0; i < kPack; ++i) line[i] += shared[ty * axis_x.taps + tx] * values[i];
        }
        SG_KERAS_UNROLL
        for (int i = 0; i < kPack; ++i) sums[i] += line[i];
      }
      StorePack<kPack>(sums, result + (row * axis_x.result_size + column) * tiles.channels);
    }
  }
}

// ------------------------------------------------------------------------------------------ launches

constexpr int kMostFactor = 1 << 15;  // of up and down: positions in a tile then fit 32 bits
constexpr int64_t kMostTaps = 10000;
constexpr int kTileHeight = 8;
constexpr int kTileWidth = 32;

bool IsSensible(const SgKerasUpfirdn2d& call) {
  const bool separable = call.filter_y != nullptr && call.filter_x != nullptr && call.filter == nullptr;
  const bool matrix = call.filter != nullptr && call.filter_y == nullptr && call.filter_x == nullptr;
  if (!separable && !matrix) return false;
  for (int i : {0, 1}) {
    if (call.up[i] < 1 || call.up[i] > kMostFactor || call.down[i] < 1 || call.down[i] > kMostFactor) return false;
    if (call.filter_size[i] < 1 || call.filter_size[i] > kMostTaps) return false;
  }
  return separable || call.filter_size[0] * call.filter_size[1] <= kMostTaps;
}

Axis AxisOf(const SgKerasUpfirdn2d& call, int i) {
  return {call.size[i], call.result_size[i], call.pad_before[i], static_cast<int>(call.up[i]),
          static_cast<int>(call.down[i]), static_cast<int>(call.filter_size[i])};
}

// The taps in the order in which kernels take them: rows then columns, or the matrix.
template <typename A>
std::vector<A> TapsOf(const SgKerasUpfirdn2d& call) {
  if (call.filter != nullptr) return {call.filter, call.filter + call.filter_size[0] * call.filter_size[1]};
  std::vector<A> taps(call.filter_y, call.filter_y + call.filter_size[0]);
  taps.insert(taps.end(), call.filter_x, call.filter_x + call.filter_size[1]);
  return taps;
}

int64_t NumberOfTaps(const SgKerasUpfirdn2d& call) {
  return call.filter != nullptr ? call.filter_size[0] * call.filter_size[1] : call.filter_size[0] + call.filter_size[1];
}

template <typename A>
int SendTaps(const SgKerasUpfirdn2d& call, void* stream, Taps<A>* taps) {
  const std::vector<A> values = TapsOf<A>(call);
  taps->count = static_cast<int>(values.size());
  taps->many = nullptr;
  if (taps->count <= Taps<A>::kMost) {
    std::copy(values.begin(), values.end(), taps->values);
    return 0;
  }
  taps->many = static_cast<const A*>(call.workspace);
  return static_cast<int>(cudaMemcpyAsync(call.workspace, values.data(), values.size() * sizeof(A),
                                          cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream)));
}

// Columns of the image that a tile of this width reads at most.
int Columns(const Axis& axis, int width) {
  return ((width - 1) * axis.down + 2 * (axis.up - 1)) / axis.up + (axis.taps + axis.up - 1) / axis.up;
}

template <typename T, int kPack>
int LaunchSeparable(const SgKerasUpfirdn2d& call, const Taps<Number<T>>& taps, void* stream) {
  const Axis axis_y = AxisOf(call, 0);
  const Axis axis_x = AxisOf(call, 1);
  int height = kTileHeight;
  int width = kTileWidth;
  const int64_t channels = std::min<int64_t>(kTileChannels, call.channels);
  const auto bytes = [&] {
    const int64_t lines = int64_t{height} * Columns(axis_x, width) * channels;
    return static_cast<int64_t>(sizeof(Number<T>)) * ((taps.count + 3) / 4 * 4 + lines);
  };
  while (bytes() > kSharedBytes && width > 4) width /= 2;
  while (bytes() > kSharedBytes && height > 1) height /= 2;
  while (bytes() > kMostSharedBytes && width > 1) width /= 2;
  if (bytes() > kMostSharedBytes) return static_cast<int>(cudaErrorInvalidValue);
  const int error = AllowSharedMemory(SeparableKernel<T, kPack>, static_cast<int>(bytes()));
  if (error != 0) return error;
  const Tiles tiles = CutTiles(call.images, call.channels, kPack, axis_y, axis_x, height, width, 0, 0);
  SG_KERAS_LAUNCH((SeparableKernel<T, kPack>), tiles.Grid(), tiles.Block(), bytes(), stream, tiles, axis_y, axis_x,
                  taps, Columns(axis_x, width), static_cast<const T*>(call.x), static_cast<T*>(call.y));
  return LastError();
}

template <typename T, int kPack>
int LaunchMatrix(const SgKerasUpfirdn2d& call, const Taps<Number<T>>& taps, void* stream) {
  const int bytes = static_cast<int>(sizeof(Number<T>)) * taps.count;
  const int error = AllowSharedMemory(MatrixKernel<T, kPack>, bytes);
  if (error != 0) return error;
  const Axis axis_y = AxisOf(call, 0);
  const Axis axis_x = AxisOf(call, 1);
  const Tiles tiles = CutTiles(call.images, call.channels, kPack, axis_y, axis_x, kTileHeight, kTileWidth, 0, 0);
  SG_KERAS_LAUNCH((MatrixKernel<T, kPack>), tiles.Grid(), tiles.Block(), bytes, stream, tiles, axis_y, axis_x, taps,
                  static_cast<const T*>(call.x), static_cast<T*>(call.y));
  return LastError();
}

// Whether the kernel for four taps has the case.
bool HasFourTaps(const SgKerasUpfirdn2d& call) {
  const bool same = call.up[0] == call.up[1] && call.down[0] == call.down[1];
  const bool factors = call.up[0] * call.down[0] == 1 || call.up[0] * call.down[0] == 2;
  return call.filter == nullptr && same && factors && call.filter_size[0] <= kFourTaps &&
         call.filter_size[1] <= kFourTaps && call.filter_size[0] > 1 && call.filter_size[1] > 1;
}

template <typename T, int kPack>
int ChooseFourTaps(const SgKerasUpfirdn2d& call, void* stream) {
  FourTaps taps = {};
  std::copy(call.filter_y, call.filter_y + call.filter_size[0], taps.y);
  std::copy(call.filter_x, call.filter_x + call.filter_size[1], taps.x);
  auto launch = &LaunchFourTaps<T, kPack, 1, 1>;
  if (call.up[0] == 2) launch = &LaunchFourTaps<T, kPack, 2, 1>;
  if (call.down[0] == 2) launch = &LaunchFourTaps<T, kPack, 1, 2>;
  launch(call.images, call.channels, AxisOf(call, 0), AxisOf(call, 1), taps, static_cast<const T*>(call.x),
         static_cast<T*>(call.y), stream);
  return LastError();
}

template <typename T, int kPack>
int LaunchType(const SgKerasUpfirdn2d& call, void* stream) {
  if constexpr (!std::is_same_v<T, double>) {
    if (HasFourTaps(call)) return ChooseFourTaps<T, kPack>(call, stream);
  }
  Taps<Number<T>> taps;
  const int error = SendTaps(call, stream, &taps);
  if (error != 0) return error;
  if (call.filter == nullptr) return LaunchSeparable<T, kPack>(call, taps, stream);
  return LaunchMatrix<T, kPack>(call, taps, stream);
}

}  // namespace
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras::cuda;  // NOLINT: the launchers are C

int sg_keras_cuda_upfirdn2d(const SgKerasUpfirdn2d* call, void* stream) {
  if (!IsSensible(*call)) return static_cast<int>(cudaErrorInvalidValue);
  if (call->images * call->channels * call->result_size[0] * call->result_size[1] == 0) return 0;
  return WithType(call->type, [&](auto element) {
    using T = decltype(element);
    constexpr int kPack = std::is_same_v<T, double> ? 2 : 4;
    return FitsPacks<T, kPack>(call->channels, call->x, call->y) ? LaunchType<T, kPack>(*call, stream)
                                                                 : LaunchType<T, 1>(*call, stream);
  });
}

int64_t sg_keras_cuda_upfirdn2d_workspace(const SgKerasUpfirdn2d* call) {
  const int64_t bytes = NumberOfTaps(*call) * (call->type == SG_KERAS_FLOAT64 ? sizeof(double) : sizeof(float));
  return bytes > kArgumentBytes ? bytes : 0;
}
