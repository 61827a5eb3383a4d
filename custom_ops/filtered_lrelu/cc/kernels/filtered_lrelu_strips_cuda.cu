// filtered_lrelu on GPUs for factors (2, 2), (4, 2) and (2, 4) with separable filters of 6 taps a phase, which is
// nearly all of StyleGAN3-T, forward and backward.
//
// A block of threads computes a strip of columns of the result, 8 channels of it, going down through the rows 16
// internal rows at a time. Four passes over shared memory for each 16 rows, each with a barrier behind it:
//   inputs into shared memory -> upsampled vertically -> upsampled horizontally, multiplied by their slopes and
//   downsampled horizontally, without leaving registers -> downsampled vertically.
// Sums of the last pass stay in registers from one 16 rows to the next, so that only neighbouring columns compute some
// internal pixels twice, 1.16 (down 2) to 1.31 (down 4) times as many. Weights are read as constants; each number from
// shared memory enters 6 to 24 multiply-adds, about 10 on average, where 4 would balance the units of an SM.
//
// Expected, by counting, not measured: for up 4, down 2 some 80 multiply-adds and 70 other instructions a result and
// channel against 6.5 bytes of global memory (float32), so bound by arithmetic from sm_80 on. 35, 46 and 53 KB of
// shared memory for (4, 2), (2, 2) and (2, 4), and 94 to 124 registers (nvcc 13.0, no spills): 4 blocks, 16 warps, on
// an SM of sm_90; 4, 3 and 3 on one of sm_80.

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_strips_cuda.h"

#include <algorithm>
#include <cmath>

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_host.h"
#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_strip_passes_cuda.h"

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {
namespace {

constexpr int64_t kBlocksWanted = 2048;  // strips are cut into bands of rows until there are so many
constexpr int kLeastBandRows = 32;
constexpr int64_t kMostBlocks = int64_t{1} << 30;

// ------------------------------------------------------------------------------------------ kernel

// The band's rows from internal row strip.internal_row + first on.
template <bool kMasked, typename K>
__device__ __forceinline__ float ComputeRows(const StripCall& call, const Strip& strip, int first, float* shared,
                                             float (&sums)[K::kColumnsOfAThread][kTapsOfAPhase]) {
  float* upsampled = shared + K::kFirst;
  uint32_t* bits = reinterpret_cast<uint32_t*>(upsampled + K::kUpsampled);
  const int first_row = strip.internal_row + first;
  const int position = first_row - call.pad_up_y;
  const int input_row = -FloorDivide(-position, K::kUp);
  const Window window{strip.image, strip.channel, input_row, strip.input_column, K::kInputRows, K::kInputColumns};
  LoadWindow<kStripThreads>(call.input, window, K::kInputColumns, shared);
  if (kMasked) ReadStripMask<K>(call, strip, first_row, bits);
  __syncthreads();
  UpsampleRows<K>(call, input_row * K::kUp - position, shared, upsampled);
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x) / kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  void* row_bits = kMasked ? static_cast<void*>(bits + row * K::kSteps * K::kStep)
                           : static_cast<void*>(bits + row * K::kSteps * (kLanes / 4));
  HorizontalPass<kMasked, K>(call, strip, upsampled + row * K::kInputColumns * kLanes + lane, row_bits,
                             shared + row * K::kLineColumns * kLanes + lane);
  __syncthreads();
  if (!kMasked) {
    const int owned = Owned<K>(strip.row, strip.rows, call.output.height);
    const int columns = Owned<K>(strip.column, K::kColumns, call.output.width);
    const int wide = call.internal_width - strip.internal_column;
    const int rows = Least(owned - first, Least(kStripRows, call.internal_height - first_row));
    WriteStripMask<K>(call, strip, first_row, rows, Least(columns, wide), bits);
  }
  const float total = DownsampleRows<K>(call, strip, first, shared, sums);
  __syncthreads();
  return total;
}

template <bool kMasked, typename K>
__global__ void __launch_bounds__(kStripThreads, 4) StripKernel(const __grid_constant__ StripCall call) {
  SG_KERAS_DYNAMIC_SHARED(float, shared);
  for (int64_t block = blockIdx.x; block < call.blocks; block += gridDim.x) {
    const Strip strip = StripOf<K>(call, block);
    float sums[K::kColumnsOfAThread][kTapsOfAPhase] = {};
    float total = 0;
    const int internals = (strip.rows - 1) * K::kDown + K::kDownTaps;
    for (int first = 0; first < internals; first += kStripRows) {
      total += ComputeRows<kMasked, K>(call, strip, first, shared, sums);
    }
    if (call.sums != nullptr) {
      WriteSums<kStripThreads>(call.output, strip.part, strip.channel, total, shared, call.sums);
    }
    __syncthreads();
  }
}

// ------------------------------------------------------------------------------------------ launches

void CopyTaps(const double* taps, int64_t count, double factor, float* target) {
  for (int64_t i = 0; i < count; ++i) target[i] = static_cast<float>(taps[i] * factor);
}

// How results are cut up; depends on the shape alone, as the sums do.
void SetStrips(const SgKerasFilteredLrelu& call, StripCall* strips) {
  const int64_t columns = call.down == 4 ? Kind<2, 4, 0>::kColumns : Kind<2, 2, 0>::kColumns;
  static_assert(Kind<2, 2, 0>::kColumns == Kind<4, 2, 0>::kColumns, "");
  strips->channel_blocks = static_cast<int>(DivideUp64(call.channels, kLanes));
  strips->strips = static_cast<int>(DivideUp64(call.output_width, columns));
  const int64_t blocks = call.images * strips->strips * strips->channel_blocks;
  const int64_t bands = std::min(DivideUp64(kBlocksWanted, blocks), DivideUp64(call.output_height, kLeastBandRows));
  strips->band_rows = static_cast<int>(DivideUp64(call.output_height, bands));
  strips->bands = static_cast<int>(DivideUp64(call.output_height, strips->band_rows));
  strips->blocks = blocks * strips->bands;
}

StripCall Prepare(const SgKerasFilteredLrelu& call) {
  StripCall strips = {};
  strips.input = InputOf(call);
  strips.output = OutputOf(call);
  strips.internal_height = static_cast<int>(call.internal_height);
  strips.internal_width = static_cast<int>(call.internal_width);
  strips.pad_up_y = static_cast<int>(call.pad_up_y);
  strips.pad_up_x = static_cast<int>(call.pad_up_x);
  strips.pad_down_y = static_cast<int>(call.pad_down_y);
  strips.pad_down_x = static_cast<int>(call.pad_down_x);
  strips.slope = static_cast<float>(call.slope);
  strips.clamp = static_cast<float>(call.clamp);
  strips.has_clamp = std::isfinite(call.clamp);
  strips.mask = static_cast<uint32_t*>(call.mask);
  strips.sums = call.sums == nullptr ? nullptr : static_cast<float*>(call.workspace);
  SetStrips(call, &strips);
  const auto rows = Phases(call.up_filter, call.up_filter_height, call.up, kTapsOfAPhase);
  const auto columns =
      Phases(call.up_filter + call.up_filter_height, call.up_filter_width, call.up, kTapsOfAPhase);
  CopyTaps(rows.data(), rows.size(), std::abs(call.gain), strips.up_rows);
  CopyTaps(columns.data(), columns.size(), 1, strips.up_columns);
  CopyTaps(call.down_filter, call.down_filter_height, call.gain < 0 ? -1 : 1, strips.down_rows);
  CopyTaps(call.down_filter + call.down_filter_height, call.down_filter_width, 1, strips.down_columns);
  return strips;
}

template <bool kMasked, typename K>
int LaunchKind(const StripCall& strips, void* stream) {
  constexpr int kBytes = K::kShared * 4;
  const auto kernel = StripKernel<kMasked, K>;
  const int error = AllowSharedMemory(kernel, kBytes);
  if (error != 0) return error;
  const unsigned blocks = static_cast<unsigned>(std::min(strips.blocks, kMostBlocks));
  SG_KERAS_LAUNCH(kernel, dim3(blocks), dim3(kStripThreads), kBytes, stream, strips);
  return LastError();
}

// The Kind's kShift, for a strip: the same for all, since their first internal pixels are kColumns * kDown apart.
int ShiftOf(const SgKerasFilteredLrelu& call) {
  const int64_t position = -call.pad_down_x - call.pad_up_x;
  const int64_t group_base = ((-position) % call.up + call.up) % call.up;
  const int64_t early = call.up - 1 - group_base;
  return static_cast<int>((call.down - early % call.down) % call.down);
}

template <bool kMasked>
int LaunchOf(const SgKerasFilteredLrelu& call, void* stream) {
  const StripCall strips = Prepare(call);
  const int shift = ShiftOf(call);
  if (call.up == 4) {
    return shift == 0 ? LaunchKind<kMasked, Kind<4, 2, 0>>(strips, stream)
                      : LaunchKind<kMasked, Kind<4, 2, 1>>(strips, stream);
  }
  if (call.down == 4) {
    return shift == 0 ? LaunchKind<kMasked, Kind<2, 4, 0>>(strips, stream)
                      : LaunchKind<kMasked, Kind<2, 4, 3>>(strips, stream);
  }
  return shift == 0 ? LaunchKind<kMasked, Kind<2, 2, 0>>(strips, stream)
                    : LaunchKind<kMasked, Kind<2, 2, 1>>(strips, stream);
}

// Whether the results of a forward call take internal pixels of the image alone, as they do where it made the mask.
bool StaysInside(int64_t pad_down, int64_t output, int64_t internal, const SgKerasFilteredLrelu& call, int64_t taps) {
  return pad_down == 0 && (output - 1) * call.down + taps <= internal;
}

}  // namespace

bool FitsStrips(const SgKerasFilteredLrelu& call) {
  const bool pair = (call.up == 2 && (call.down == 2 || call.down == 4)) || (call.up == 4 && call.down == 2);
  const int64_t up_taps = std::max(call.up_filter_height, call.up_filter_width);
  const int64_t down_taps = std::max(call.down_filter_height, call.down_filter_width);
  const bool inside =
      StaysInside(call.pad_down_y, call.output_height, call.internal_height, call, call.down_filter_height) &&
      StaysInside(call.pad_down_x, call.output_width, call.internal_width, call, call.down_filter_width);
  return pair && call.type != SG_KERAS_FLOAT64 && call.up_separable && call.down_separable &&
         up_taps <= kTapsOfAPhase * call.up && down_taps <= kTapsOfAPhase * call.down && (call.masked || inside);
}

int LaunchStrips(const SgKerasFilteredLrelu& call, void* stream) {
  return call.masked ? LaunchOf<true>(call, stream) : LaunchOf<false>(call, stream);
}

int64_t SumPartsOfStrips(const SgKerasFilteredLrelu& call) {
  StripCall strips = {};
  SetStrips(call, &strips);
  return strips.blocks / strips.channel_blocks;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras
