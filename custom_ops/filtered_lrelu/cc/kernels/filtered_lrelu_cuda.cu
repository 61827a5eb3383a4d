// filtered_lrelu on GPUs: images are computed in tiles that stay in shared memory, 8 channels at a time; what
// neighbouring tiles both need is computed twice.

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "custom_ops/common/cc/kernels/cuda_rows.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_host.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_passes.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_strips_cuda.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {
namespace {

constexpr int64_t kMostSize = int64_t{1} << 28;  // of images, filters, factors and paddings

template <typename A>
__device__ __forceinline__ void CopyTaps(const TileCall<A>& call, A* shared) {
  for (int i = threadIdx.x; i < call.up_count; i += kTileThreads) shared[call.layout.up_taps + i] = call.up_weights[i];
  for (int i = threadIdx.x; i < call.down_count; i += kTileThreads) {
    shared[call.layout.down_taps + i] = call.down_weights[i];
  }
}

template <bool kMasked, int kUp, int kDown, typename A>
__global__ void __launch_bounds__(kTileThreads, 2) TileKernel(const __grid_constant__ TileCall<A> call) {
  SG_KERAS_DYNAMIC_SHARED(A, shared);
  const InternalRows rows{kDown > 0 ? kDown : call.down, call.layout.rows_of_a_phase};
  CopyTaps(call, shared);
  for (int64_t block = blockIdx.x; block < call.blocks; block += gridDim.x) {
    const Tile tile = TileOf(call, block);
    LoadInputs(call, tile, shared + call.layout.inputs);
    __syncthreads();
    if (call.up_separable) {
      UpsampleSeparable<kUp>(call, tile, rows, shared);
    } else {
      UpsampleMatrix<kUp>(call, tile, rows, shared);
    }
    __syncthreads();
    Activate<kMasked>(call, tile, rows, shared + call.layout.internals);
    __syncthreads();
    const A total = call.down_separable ? DownsampleSeparable<kDown>(call, tile, rows, shared)
                                        : DownsampleMatrix<kDown>(call, tile, rows, shared);
    if (call.sums != nullptr) {
      WriteSums<kTileThreads>(call.output, tile.number, tile.channel, total, shared + call.layout.internals, call.sums);
    }
    __syncthreads();
  }
}

// ------------------------------------------------------------------------------------------ preparation

// Whether the factors and filters are those for which there are kernels with factors known to the compiler.
bool IsOfSixTaps(const SgKerasFilteredLrelu& call) {
  const bool pair = (call.up == 2 && (call.down == 2 || call.down == 4)) || (call.up == 4 && call.down == 2);
  const int64_t up_taps = std::max(call.up_filter_height, call.up_filter_width);
  const int64_t down_taps = std::max(call.down_filter_height, call.down_filter_width);
  return pair && call.type != SG_KERAS_FLOAT64 && up_taps <= kTapsOfAPhase * call.up &&
         down_taps <= kTapsOfAPhase * call.down;
}

Axis AxisOf(const SgKerasFilteredLrelu& call, bool six_taps, bool vertical) {
  Axis axis;
  axis.input = static_cast<int>(vertical ? call.input_height : call.input_width);
  axis.internal = static_cast<int>(vertical ? call.internal_height : call.internal_width);
  axis.output = static_cast<int>(vertical ? call.output_height : call.output_width);
  axis.pad_up = static_cast<int>(vertical ? call.pad_up_y : call.pad_up_x);
  axis.pad_down = static_cast<int>(vertical ? call.pad_down_y : call.pad_down_x);
  const int64_t up_taps = vertical ? call.up_filter_height : call.up_filter_width;
  const int64_t down_taps = vertical ? call.down_filter_height : call.down_filter_width;
  axis.up_taps = six_taps ? kTapsOfAPhase : static_cast<int>(DivideUp64(up_taps, call.up));
  axis.down_taps = static_cast<int>(six_taps ? kTapsOfAPhase * call.down : down_taps);
  return axis;
}

// See TileCall.
std::vector<double> UpWeights(const SgKerasFilteredLrelu& call, const Axis& y, const Axis& x) {
  const int64_t height = call.up_filter_height;
  const int64_t width = call.up_filter_width;
  const double gain = std::abs(call.gain);
  std::vector<double> weights;
  if (call.up_separable) {
    weights = Phases(call.up_filter, height, call.up, y.up_taps);
    for (double& weight : weights) weight *= gain;
    const std::vector<double> columns = Phases(call.up_filter + height, width, call.up, x.up_taps);
    weights.insert(weights.end(), columns.begin(), columns.end());
    return weights;
  }
  weights.resize(call.up * y.up_taps * call.up * x.up_taps);
  for (int64_t row = 0; row < height; ++row) {
    const std::vector<double> line = Phases(call.up_filter + row * width, width, call.up, x.up_taps);
    double* target = weights.data() + (row % call.up * y.up_taps + row / call.up) * line.size();
    for (size_t i = 0; i < line.size(); ++i) target[i] = line[i] * gain;
  }
  return weights;
}

std::vector<double> DownWeights(const SgKerasFilteredLrelu& call, const Axis& y, const Axis& x) {
  const int64_t height = call.down_filter_height;
  const int64_t width = call.down_filter_width;
  const double sign = call.gain < 0 ? -1 : 1;
  if (call.down_separable) {
    std::vector<double> weights(y.down_taps + x.down_taps);
    for (int64_t i = 0; i < height; ++i) weights[i] = call.down_filter[i] * sign;
    for (int64_t i = 0; i < width; ++i) weights[y.down_taps + i] = call.down_filter[height + i];
    return weights;
  }
  std::vector<double> weights(int64_t{y.down_taps} * x.down_taps);
  for (int64_t i = 0; i < height * width; ++i) {
    weights[i / width * x.down_taps + i % width] = call.down_filter[i] * sign;
  }
  return weights;
}

// Where a tile's numbers lie, and how many they are. Sizes are those of a whole tile with its runs filled up.
template <typename A>
TileLayout LayoutOf(const TileCall<A>& call, bool six_taps, int64_t* total) {
  const auto internals = [&](const Axis& axis) { return (axis.tile - 1) * call.down + axis.down_taps; };
  const auto groups = [&](const Axis& axis) { return (internals(axis) - 2 + call.up) / call.up + 1; };
  const int64_t group_run = six_taps && !call.up_separable ? kMatrixUpRun / call.up : 1;
  TileLayout at;
  at.internal_width = internals(call.x) | 1;
  at.input_width = static_cast<int>(RoundUp(groups(call.x), group_run) + call.x.up_taps - 1) | 1;
  at.line_width = call.x.tile | 1;
  at.rows_of_a_phase = DivideUp(internals(call.y), call.down);
  const int64_t rows = int64_t{at.rows_of_a_phase} * call.down;
  const int64_t input_rows = groups(call.y) + call.y.up_taps - 1;
  const int64_t inputs = input_rows * at.input_width * kLanes;
  const int64_t columns = call.up_separable ? rows * at.input_width * kLanes : 0;
  const int64_t lines = call.down_separable ? rows * at.line_width * kLanes : 0;
  const int64_t first = RoundUp(call.up_count, 4);
  const int64_t second = first + RoundUp(call.down_count, 4);
  const int64_t third = second + std::max<int64_t>(rows * at.internal_width * kLanes, kTileThreads);
  *total = third + std::max(inputs + columns, lines);
  at.up_taps = 0;
  at.down_taps = static_cast<int>(first);
  at.internals = static_cast<int>(second);
  at.inputs = at.lines = static_cast<int>(third);
  at.columns = static_cast<int>(third + inputs);
  return at;
}

struct TileSize {
  int height;
  int width;
};
constexpr TileSize kTileSizes[] = {{16, 16}, {8, 16}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 1}};
constexpr int64_t kFineBytes = 80 * 1024;  // two blocks of threads fit on sm_80 and sm_90

// A tile of about this size: no larger than the images, and filled with whole runs of results.
template <typename A>
int64_t SetTile(const TileSize& size, bool six_taps, TileCall<A>* call) {
  const int run_y = six_taps && call->down_separable ? kDownRun : 1;
  const int run_x = !six_taps ? 1 : call->down_separable ? kDownRun : kMatrixDownRun;
  call->y.tile = static_cast<int>(RoundUp(std::min(size.height, call->y.output), run_y));
  call->x.tile = static_cast<int>(RoundUp(std::min(size.width, call->x.output), run_x));
  int64_t total;
  call->layout = LayoutOf(*call, six_taps, &total);
  return total * static_cast<int64_t>(sizeof(A));
}

// Chooses the greatest tile of fine size, or else the greatest that is possible. Returns its bytes of shared memory.
template <typename A>
int64_t ChooseTile(bool six_taps, TileCall<A>* call) {
  for (const int64_t limit : {kFineBytes, int64_t{kMostSharedBytes}}) {
    for (const TileSize& size : kTileSizes) {
      const int64_t bytes = SetTile(size, six_taps, call);
      if (bytes <= limit) return bytes;
    }
  }
  return std::numeric_limits<int64_t>::max();
}

bool IsValid(const SgKerasFilteredLrelu& call) {
  const int64_t positive[] = {call.up,           call.down,           call.up_filter_height, call.up_filter_width,
                              call.down_filter_height, call.down_filter_width, call.input_height,     call.input_width};
  const int64_t any[] = {call.channels,        call.internal_height, call.internal_width, call.output_height,
                         call.output_width,    call.pad_up_y,        call.pad_up_x,       call.pad_down_y,
                         call.pad_down_x};
  const auto is_small = [](int64_t size) { return size < kMostSize && size > -kMostSize; };
  return std::all_of(std::begin(positive), std::end(positive), [&](int64_t s) { return s > 0 && is_small(s); }) &&
         std::all_of(std::begin(any), std::end(any), is_small) &&
         (call.output_height - 1) * call.down + call.down_filter_height < kMostSize &&
         (call.output_width - 1) * call.down + call.down_filter_width < kMostSize;
}

template <typename A>
bool SetWeights(const std::vector<double>& weights, A* target, int* count) {
  if (weights.size() > kMostTaps) return false;
  std::transform(weights.begin(), weights.end(), target, [](double weight) { return static_cast<A>(weight); });
  *count = static_cast<int>(weights.size());
  return true;
}

// What the kernel is told, and the bytes of shared memory it takes; false for filters that are too large.
template <typename A>
bool Prepare(const SgKerasFilteredLrelu& call, bool six_taps, TileCall<A>* tiles, int64_t* shared_bytes) {
  tiles->up = static_cast<int>(call.up);
  tiles->down = static_cast<int>(call.down);
  tiles->up_separable = call.up_separable;
  tiles->down_separable = call.down_separable;
  tiles->has_clamp = std::isfinite(call.clamp);
  tiles->slope = static_cast<A>(call.slope);
  tiles->clamp = static_cast<A>(call.clamp);
  tiles->y = AxisOf(call, six_taps, true);
  tiles->x = AxisOf(call, six_taps, false);
  if (!SetWeights(UpWeights(call, tiles->y, tiles->x), tiles->up_weights, &tiles->up_count)) return false;
  if (!SetWeights(DownWeights(call, tiles->y, tiles->x), tiles->down_weights, &tiles->down_count)) return false;
  *shared_bytes = ChooseTile(six_taps, tiles);
  if (*shared_bytes > kMostSharedBytes) return false;
  tiles->input = InputOf(call);
  tiles->output = OutputOf(call);
  tiles->channel_blocks = DivideUp(tiles->input.channels, kLanes);
  tiles->tiles_y = DivideUp(tiles->y.output, tiles->y.tile);
  tiles->tiles_x = DivideUp(tiles->x.output, tiles->x.tile);
  tiles->blocks = call.images * tiles->tiles_y * tiles->tiles_x * tiles->channel_blocks;
  tiles->mask = static_cast<uint32_t*>(call.mask);
  tiles->sums = call.sums == nullptr ? nullptr : static_cast<A*>(call.workspace);
  return true;
}

// ------------------------------------------------------------------------------------------ launches

bool IsEmpty(const SgKerasFilteredLrelu& call) {
  return call.images == 0 || call.channels == 0 || call.output_height == 0 || call.output_width == 0;
}

// Whether the results take, so that tiles compute and mask, all internal pixels along an axis.
bool CoversInternals(int64_t pad_down, int64_t output, int64_t internal, int64_t down, int64_t taps) {
  return pad_down >= 0 && taps >= down && (output - 1) * down - pad_down + taps >= internal;
}

// Internal pixels of which no result depends get a mask of zeros.
int ClearUnusedMask(const SgKerasFilteredLrelu& call, void* stream) {
  if (CoversInternals(call.pad_down_y, call.output_height, call.internal_height, call.down, call.down_filter_height) &&
      CoversInternals(call.pad_down_x, call.output_width, call.internal_width, call.down, call.down_filter_width)) {
    return 0;
  }
  const int64_t words =
      call.images * DivideUp64(call.channels, kMaskChannels) * call.internal_height * call.internal_width;
  return static_cast<int>(
      cudaMemsetAsync(call.mask, 0, words * sizeof(uint32_t), static_cast<cudaStream_t>(stream)));
}

template <bool kMasked, int kUp, int kDown, typename A>
int LaunchTiles(const TileCall<A>& tiles, int64_t shared_bytes, void* stream) {
  const auto kernel = TileKernel<kMasked, kUp, kDown, A>;
  const int error = AllowSharedMemory(kernel, static_cast<int>(shared_bytes));
  if (error != 0) return error;
  const unsigned blocks = static_cast<unsigned>(std::min(tiles.blocks, kMostBlocks));
  SG_KERAS_LAUNCH(kernel, dim3(blocks), dim3(kTileThreads), shared_bytes, stream, tiles);
  return LastError();
}

template <bool kMasked>
int LaunchOf(const TileCall<double>& tiles, bool, int64_t shared_bytes, void* stream) {
  return LaunchTiles<kMasked, 0, 0>(tiles, shared_bytes, stream);
}

template <bool kMasked>
int LaunchOf(const TileCall<float>& tiles, bool six_taps, int64_t shared_bytes, void* stream) {
  if (!six_taps) return LaunchTiles<kMasked, 0, 0>(tiles, shared_bytes, stream);
  if (tiles.up == 4) return LaunchTiles<kMasked, 4, 2>(tiles, shared_bytes, stream);
  if (tiles.down == 4) return LaunchTiles<kMasked, 2, 4>(tiles, shared_bytes, stream);
  return LaunchTiles<kMasked, 2, 2>(tiles, shared_bytes, stream);
}

// Of no pixels.
int ClearSums(const SgKerasFilteredLrelu& call, void* stream) {
  if (call.sums == nullptr || call.channels == 0) return 0;
  return WithType(call.type, [&](auto element) {
    const size_t bytes = call.channels * sizeof(element);
    return static_cast<int>(cudaMemsetAsync(call.sums, 0, bytes, static_cast<cudaStream_t>(stream)));
  });
}

// Launches the kernel for tiles; sets the number of sums a channel that it leaves in the workspace.
template <typename A>
int LaunchAnyTiles(const SgKerasFilteredLrelu& call, void* stream, int64_t* parts) {
  const bool six_taps = IsOfSixTaps(call);
  TileCall<A> tiles;
  int64_t shared_bytes;
  if (!Prepare(call, six_taps, &tiles, &shared_bytes)) return static_cast<int>(cudaErrorInvalidValue);
  *parts = tiles.blocks / tiles.channel_blocks;
  return call.masked ? LaunchOf<true>(tiles, six_taps, shared_bytes, stream)
                     : LaunchOf<false>(tiles, six_taps, shared_bytes, stream);
}

template <typename T>
int Launch(const SgKerasFilteredLrelu& call, void* stream) {
  using A = Number<T>;
  int error = call.masked ? 0 : ClearUnusedMask(call, stream);
  if (error != 0) return error;
  int64_t parts;
  if (FitsStrips(call)) {
    parts = SumPartsOfStrips(call);
    error = LaunchStrips(call, stream);
  } else {
    error = LaunchAnyTiles<A>(call, stream, &parts);
  }
  if (error != 0 || call.sums == nullptr) return error;
  SumParts(static_cast<const A*>(call.workspace), 1, parts, call.channels, static_cast<T*>(call.sums), stream);
  return LastError();
}

// How many sums a channel the launch leaves in the workspace.
template <typename A>
int64_t PartsOf(const SgKerasFilteredLrelu& call) {
  if (FitsStrips(call)) return SumPartsOfStrips(call);
  TileCall<A> tiles;
  int64_t shared_bytes;
  if (!Prepare(call, IsOfSixTaps(call), &tiles, &shared_bytes)) return 0;
  return tiles.blocks / tiles.channel_blocks;
}

}  // namespace
}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

using namespace sg_keras;        // NOLINT: the launchers are C
using namespace sg_keras::cuda;  // NOLINT
using namespace sg_keras::cuda::filtered_lrelu;  // NOLINT

int sg_keras_cuda_filtered_lrelu(const SgKerasFilteredLrelu* call, void* stream) {
  if (IsEmpty(*call)) return ClearSums(*call, stream);
  if (!IsValid(*call)) return static_cast<int>(cudaErrorInvalidValue);
  return WithType(call->type, [&](auto element) { return Launch<decltype(element)>(*call, stream); });
}

int64_t sg_keras_cuda_filtered_lrelu_workspace(const SgKerasFilteredLrelu* call) {
  if (call->sums == nullptr || IsEmpty(*call) || !IsValid(*call)) return 0;
  int64_t bytes = 0;
  WithType(call->type, [&](auto element) {
    using A = Number<decltype(element)>;
    bytes = PartsOf<A>(*call) * call->channels * static_cast<int64_t>(sizeof(A));
    return 0;
  });
  return bytes;
}
