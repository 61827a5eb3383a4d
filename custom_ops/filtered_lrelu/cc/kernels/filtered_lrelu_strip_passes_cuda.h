// What a block of threads of filtered_lrelu_strips_cuda.cu does, pass by pass.

#ifndef CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIP_PASSES_CUDA_H_
#define CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIP_PASSES_CUDA_H_

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda_images.h"

#if defined(SG_KERAS_CUDA_EMULATION)
#define SG_KERAS_UNROLL_2 _Pragma("GCC unroll 2")
#else
#define SG_KERAS_UNROLL_2 _Pragma("unroll 2")
#endif

namespace sg_keras {
namespace cuda {
namespace filtered_lrelu {

constexpr int kStripThreads = 128;
constexpr int kStripRows = kStripThreads / kLanes;  // internal rows at a time: one a thread, in the horizontal pass
constexpr uint32_t kOutside = 0xffffu << kMaskChannels;  // slopes of 0

// What the compiler knows of a kernel. kShift: the first internal pixel that a strip's results take is pixel kShift of
// those that are downsampled together with those before it; see HorizontalPass.
template <int kUp_, int kDown_, int kShift_>
struct Kind {
  static constexpr int kUp = kUp_;
  static constexpr int kDown = kDown_;
  static constexpr int kShift = kShift_;
  static constexpr int kDownTaps = kDown * kTapsOfAPhase;
  static constexpr int kColumns = kDown == 4 ? 16 : 32;  // of the result
  static constexpr int kStep = kUp > kDown ? kUp : kDown;  // internal pixels that a thread computes at a time
  static constexpr int kStepInputs = kStep / kUp;
  static constexpr int kStepResults = kStep / kDown;
  static constexpr int kInternals = (kColumns - 1) * kDown + kDownTaps;
  // Up to kUp - 1 internal pixels before the first have the same inputs.
  static constexpr int kSteps = ((kInternals + kUp - 1 + kStep - 1) / kStep + 1) & ~1;  // even: loops are unrolled
  static constexpr int kInputColumns = (kSteps * kStepInputs + kTapsOfAPhase - 1) | 1;
  static constexpr int kInputRows = (kStripRows - 2 + kUp) / kUp + kTapsOfAPhase;
  static constexpr int kLineColumns = kColumns + 1;
  static constexpr int kSumsAcross = kTapsOfAPhase + (kStep - 1 + kShift) / kDown;
  static constexpr int kColumnsOfAThread = kColumns * kLanes / kStripThreads;

  // Shared memory, in numbers of 4 bytes.
  static constexpr int kInputs = kInputRows * kInputColumns * kLanes;
  static constexpr int kLines = kStripRows * kLineColumns * kLanes;  // in the place of inputs
  static constexpr int kFirst = kInputs > kLines ? kInputs : kLines;
  static constexpr int kUpsampled = kStripRows * kInputColumns * kLanes;
  static constexpr int kBits = kStripRows * kSteps * kStep;  // words of the mask; where it is made, bytes of threads
  static constexpr int kShared = kFirst + kUpsampled + kBits;
  static_assert(kShared * 4 <= kMostSharedBytes && kStepInputs * kUp == kStep && kStepResults * kDown == kStep, "");
};

struct StripCall {
  Images input;
  Images output;
  int internal_height;
  int internal_width;
  int pad_up_y;
  int pad_up_x;
  int pad_down_y;
  int pad_down_x;
  float slope;
  float clamp;
  bool has_clamp;
  int band_rows;
  int bands;
  int strips;
  int channel_blocks;
  int64_t blocks;
  uint32_t* mask;
  float* sums;  // null: not wanted
  float up_rows[4 * kTapsOfAPhase];  // [phase][tap]; phase 0 is the last of those that have the same inputs
  float up_columns[4 * kTapsOfAPhase];
  float down_rows[4 * kTapsOfAPhase];
  float down_columns[4 * kTapsOfAPhase];
};

__device__ __forceinline__ int Least(int a, int b) { return a < b ? a : b; }

// Where a block works.
struct Strip {
  int64_t part;  // among those of all images
  int64_t image;
  int channel;
  int row;  // first of the result
  int rows;
  int column;
  int internal_row;
  int internal_column;
  int group_base;    // the first input's last internal pixel is so far from internal_column
  int input_column;
  uint32_t* mask;  // of the image and block of 16 channels
};

template <typename K>
__device__ __forceinline__ Strip StripOf(const StripCall& call, int64_t block) {
  Strip strip;
  strip.channel = static_cast<int>(block % call.channel_blocks) * kLanes;
  strip.part = block / call.channel_blocks;
  const int place = static_cast<int>(strip.part % (call.strips * call.bands));
  strip.image = strip.part / (call.strips * call.bands);
  strip.row = place / call.strips * call.band_rows;
  strip.rows = Least(call.output.height - strip.row, call.band_rows);
  strip.column = place % call.strips * K::kColumns;
  strip.internal_row = strip.row * K::kDown - call.pad_down_y;
  strip.internal_column = strip.column * K::kDown - call.pad_down_x;
  const int position = strip.internal_column - call.pad_up_x;
  strip.input_column = -FloorDivide(-position, K::kUp);
  strip.group_base = strip.input_column * K::kUp - position;
  const int mask_blocks = DivideUp(call.input.channels, kMaskChannels);
  const int64_t mask_block = strip.image * mask_blocks + strip.channel / kMaskChannels;
  strip.mask = call.mask + mask_block * call.internal_height * call.internal_width;
  return strip;
}

// ------------------------------------------------------------------------------------------ upsampling vertically

// Internal rows, upsampled vertically alone, [kStripRows][kInputColumns]. The last of those that have the first inputs
// is row `group_base`.
template <typename K>
__device__ __forceinline__ void UpsampleRows(const StripCall& call, int group_base, const float* inputs, float* rows) {
  constexpr int kStride = K::kInputColumns * kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int groups = (kStripRows - 2 - group_base + K::kUp) / K::kUp + 1;
  for (Walk<kLanes, kStripThreads> at(K::kInputColumns); at.run < groups; at.Next()) {
    const float* source = inputs + at.run * kStride + at.line * kLanes + lane;
    const int last = at.run * K::kUp + group_base;
    float* target = rows + last * kStride + at.line * kLanes + lane;
    float window[kTapsOfAPhase];
    SG_KERAS_UNROLL
    for (int t = 0; t < kTapsOfAPhase; ++t) window[t] = source[t * kStride];
    SG_KERAS_UNROLL
    for (int p = 0; p < K::kUp; ++p) {
      float sum = 0;
      SG_KERAS_UNROLL
      for (int t = 0; t < kTapsOfAPhase; ++t) sum += call.up_rows[p * kTapsOfAPhase + t] * window[t];
      if (last - p >= 0 && last - p < kStripRows) target[-p * kStride] = sum;
    }
  }
}

// ------------------------------------------------------------------------------------------ horizontal passes

// Multiplies an internal pixel by its slope; adds its two bits to those of the thread.
__device__ __forceinline__ float Activate(const StripCall& call, float value, int shift, uint32_t* bits) {
  if (!(value > 0)) {
    *bits |= 1u << shift;
    value *= call.slope;
  }
  if (!call.has_clamp) return value;
  float limited = value < -call.clamp ? -call.clamp : value;  // NaN stays NaN
  limited = limited > call.clamp ? call.clamp : limited;
  if (limited != value) *bits |= 2u << shift;
  return limited;
}

__device__ __forceinline__ float Multiply(const StripCall& call, float value, uint32_t word, int lane) {
  value = word >> lane & 1 ? value * call.slope : value;
  return word >> (kMaskChannels + lane) & 1 ? 0.0f : value;
}

// Those of neighbouring internal pixels, loaded at once.
template <int kCount>
struct alignas(4 * kCount) MaskWords {
  uint32_t word[kCount];
};

// A step's internal pixels, multiplied by their slopes. Window: their inputs.
template <bool kMasked, typename K>
__device__ __forceinline__ void InternalPixels(const StripCall& call, const float* window, void* bits, int step,
                                               float* values) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  MaskWords<K::kStep> words = {};
  if (kMasked) words = static_cast<const MaskWords<K::kStep>*>(bits)[step];
  SG_KERAS_UNROLL
  for (int k = 0; k < K::kStep; ++k) {
    float sum = 0;
    SG_KERAS_UNROLL
    for (int t = 0; t < kTapsOfAPhase; ++t) {
      sum += call.up_columns[(K::kUp - 1 - k % K::kUp) * kTapsOfAPhase + t] * window[k / K::kUp + t];
    }
    values[k] = kMasked ? Multiply(call, sum, words.word[k], lane) : Activate(call, sum, 2 * k, &words.word[0]);
  }
  if (!kMasked) static_cast<uint8_t*>(bits)[step * kLanes + lane] = static_cast<uint8_t>(words.word[0]);
}

// Upsamples, activates and downsamples this thread's row. Internal pixels come from group_base - kUp + 1 on, relative
// to the first that the strip's results take. Sum a of step s belongs to result s * kStepResults + a - before of the
// strip's: `before` results start before them.
template <bool kMasked, typename K>
__device__ __forceinline__ void HorizontalPass(const StripCall& call, const Strip& strip, const float* row, void* bits,
                                               float* line) {
  const int before = kTapsOfAPhase - 1 + (K::kShift + K::kUp - 1 - strip.group_base) / K::kDown;
  float window[K::kStepInputs + kTapsOfAPhase - 1];
  float sums[K::kSumsAcross] = {};
  SG_KERAS_UNROLL
  for (int t = 0; t < kTapsOfAPhase - 1; ++t) window[t] = row[t * kLanes];
  SG_KERAS_UNROLL_2
  for (int step = 0; step < K::kSteps; ++step) {
    SG_KERAS_UNROLL
    for (int i = 0; i < K::kStepInputs; ++i) {
      window[kTapsOfAPhase - 1 + i] = row[(step * K::kStepInputs + kTapsOfAPhase - 1 + i) * kLanes];
    }
    float values[K::kStep];
    InternalPixels<kMasked, K>(call, window, bits, step, values);
    SG_KERAS_UNROLL
    for (int k = 0; k < K::kStep; ++k) {
      SG_KERAS_UNROLL
      for (int a = 0; a < K::kSumsAcross; ++a) {
        const int tap = k + K::kShift - (a - kTapsOfAPhase + 1) * K::kDown;
        if (tap >= 0 && tap < K::kDownTaps) sums[a] += call.down_columns[tap] * values[k];
      }
    }
    SG_KERAS_UNROLL
    for (int a = 0; a < K::kStepResults; ++a) {
      const int result = step * K::kStepResults + a - before;
      if (result >= 0 && result < K::kColumns) line[result * kLanes] = sums[a];
    }
    SG_KERAS_UNROLL
    for (int a = 0; a < K::kSumsAcross; ++a) {
      sums[a] = a + K::kStepResults < K::kSumsAcross ? sums[a + K::kStepResults] : 0.0f;
    }
    SG_KERAS_UNROLL
    for (int t = 0; t < kTapsOfAPhase - 1; ++t) window[t] = window[t + K::kStepInputs];
  }
}

// ------------------------------------------------------------------------------------------ mask

// The words of this strip's internal pixels, shifted to its channels; slopes of 0 outside of the image.
template <typename K>
__device__ __forceinline__ void ReadStripMask(const StripCall& call, const Strip& strip, int first_row,
                                              uint32_t* bits) {
  constexpr int kWidth = K::kSteps * K::kStep;
  const int first_column = strip.internal_column + strip.group_base - K::kUp + 1;
  for (int i = threadIdx.x; i < kStripRows * kWidth; i += kStripThreads) {
    const int row = first_row + i / kWidth;
    const int column = first_column + i % kWidth;
    const bool inside = row >= 0 && row < call.internal_height && column >= 0 && column < call.internal_width;
    const uint32_t* words = strip.mask + int64_t{row} * call.internal_width;
    bits[i] = inside ? words[column] >> strip.channel % kMaskChannels : kOutside;
  }
}

// Bit `shift` of each of 4 bytes, in the lowest bits.
__device__ __forceinline__ uint32_t GatherBits(uint32_t bytes, int shift) {
  return (bytes >> shift & 0x01010101u) * 0x10204080u >> 28;
}

// From a byte of each thread and step, two bits an internal pixel, to the mask's words, each of which belongs to one
// strip and band. `rows`, `columns`: so many internal pixels belong to this one.
template <typename K>
__device__ __forceinline__ void WriteStripMask(const StripCall& call, const Strip& strip, int first_row, int rows,
                                               int columns, const uint32_t* bits) {
  const int first_bit = strip.channel % kMaskChannels;
  const bool whole = first_bit == 0 && strip.channel + kLanes >= call.input.channels;
  for (int i = threadIdx.x; i < kStripRows * K::kSteps; i += kStripThreads) {
    const int row = i / K::kSteps;
    const int first = i % K::kSteps * K::kStep + strip.group_base - K::kUp + 1;
    const uint32_t low = bits[i * 2];
    const uint32_t high = bits[i * 2 + 1];
    uint32_t* words = strip.mask + int64_t{first_row + row} * call.internal_width + strip.internal_column;
    for (int k = 0; k < K::kStep; ++k) {
      const int column = first + k;
      if (row >= rows || column < 0 || column >= columns) continue;
      const uint32_t negative = GatherBits(low, 2 * k) | GatherBits(high, 2 * k) << 4;
      const uint32_t clamped = GatherBits(low, 2 * k + 1) | GatherBits(high, 2 * k + 1) << 4;
      if (whole) {
        words[column] = negative | clamped << kMaskChannels;
      } else {
        uint8_t* bytes = reinterpret_cast<uint8_t*>(words + column) + first_bit / 8;
        bytes[0] = static_cast<uint8_t>(negative);
        bytes[2] = static_cast<uint8_t>(clamped);
      }
    }
  }
}

// So many of `internals` pixels of a strip or band of `results` results have their mask written by it.
template <typename K>
__device__ __forceinline__ int Owned(int first, int results, int all) {
  return first + results < all ? results * K::kDown : (all - first - 1) * K::kDown + K::kDownTaps;
}

// ------------------------------------------------------------------------------------------ downsampling vertically

// Adds kStripRows lines to the sums of this thread's columns and stores the results that are complete: with the line of
// internal row r, relative to the band's first, sum 0 belongs to result r / kDown - 5. Returns what they add up to.
template <typename K>
__device__ __forceinline__ float DownsampleRows(const StripCall& call, const Strip& strip, int first,
                                                const float* lines,
                                                float (&sums)[K::kColumnsOfAThread][kTapsOfAPhase]) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  float total = 0;
  SG_KERAS_UNROLL
  for (int i = 0; i < K::kColumnsOfAThread; ++i) {
    const int column = static_cast<int>(threadIdx.x) / kLanes + i * (kStripThreads / kLanes);
    SG_KERAS_UNROLL
    for (int step = 0; step < kStripRows / K::kDown; ++step) {
      SG_KERAS_UNROLL
      for (int k = 0; k < K::kDown; ++k) {
        const float value = lines[((step * K::kDown + k) * K::kLineColumns + column) * kLanes + lane];
        SG_KERAS_UNROLL
        for (int a = 0; a < kTapsOfAPhase; ++a) {
          sums[i][a] += call.down_rows[k + (kTapsOfAPhase - 1 - a) * K::kDown] * value;
        }
      }
      const int result = first / K::kDown + step - (kTapsOfAPhase - 1);
      if (result >= 0 && result < strip.rows) {
        total += PutPixel(call.output, strip.image, strip.row + result, strip.column + column, strip.channel + lane,
                          sums[i][0]);
      }
      SG_KERAS_UNROLL
      for (int a = 0; a < kTapsOfAPhase; ++a) sums[i][a] = a + 1 < kTapsOfAPhase ? sums[i][a + 1] : 0.0f;
    }
  }
  return total;
}

}  // namespace filtered_lrelu
}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_FILTERED_LRELU_CC_KERNELS_FILTERED_LRELU_STRIP_PASSES_CUDA_H_
