// How CUDA kernels walk over channels-last data, [segments, rows, channels]: a segment is an image (or the whole
// batch), a row its pixel. A thread keeps its channels, so that what belongs to a channel stays in registers and sums
// over rows are taken on the way. How the work is cut depends on the shape alone, not on the device; so does the order
// of sums.

#ifndef CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ROWS_H_
#define CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ROWS_H_

#include <algorithm>
#include <cstdint>

#include "custom_ops/common/cc/kernels/cuda_elements.h"

namespace sg_keras {
namespace cuda {

constexpr int kRowThreads = 256;
constexpr int kMostLanes = 32;
constexpr int kRowsInFlight = 4;   // loaded by a thread before it computes: hides the memory's latency
constexpr int kRowsOfSums = 32;    // of a thread: a chunk's sums are then 1/32 of its data at most
constexpr int64_t kMostChunks = 4096;
constexpr int64_t kMostBlocks = int64_t{1} << 30;

// How kernels for walk.Grid() and walk.Block() begin.
#define SG_KERAS_ROW_KERNEL __global__ void __launch_bounds__(kRowThreads)

// A block takes a chunk of rows of one segment, and `lanes` packs of channels of them.
struct RowWalk {
  int64_t segments = 0;
  int64_t rows = 0;
  int64_t channels = 0;
  int lanes = 0;           // threads side by side along the channels
  int rows_at_once = 0;    // and along the rows
  int64_t groups = 0;      // of lanes, to cover the channels
  int64_t chunk_rows = 0;  // rows of a chunk
  int64_t chunks = 0;      // of a segment

  dim3 Block() const { return dim3(lanes, rows_at_once); }
  dim3 Grid() const { return dim3(static_cast<unsigned>(std::min(Blocks(), kMostBlocks))); }
  __host__ __device__ int64_t Blocks() const { return segments * chunks * groups; }
};

// A thread takes so many rows of a chunk, or more where there would be more than kMostChunks.
inline RowWalk PlanRows(int64_t segments, int64_t rows, int64_t channels, int pack, int64_t rows_of_thread) {
  RowWalk walk;
  walk.segments = segments;
  walk.rows = rows;
  walk.channels = channels;
  const int64_t packs = channels / pack;
  walk.groups = (packs + kMostLanes - 1) / kMostLanes;
  walk.lanes = static_cast<int>((packs + walk.groups - 1) / walk.groups);
  walk.rows_at_once = kRowThreads / walk.lanes;
  walk.chunk_rows = std::max(walk.rows_at_once * rows_of_thread, (rows + kMostChunks - 1) / kMostChunks);
  walk.chunks = (rows + walk.chunk_rows - 1) / walk.chunk_rows;
  return walk;
}

// Where a block works.
struct RowPlace {
  int64_t segment;
  int64_t chunk;
  int64_t group;
  int64_t channel;  // first of this thread's pack; at or beyond walk.channels: nothing to do
  int64_t begin;    // rows of the segment
  int64_t end;
};

__device__ __forceinline__ RowPlace PlaceOf(const RowWalk& walk, int64_t block, int pack) {
  RowPlace place;
  place.group = block % walk.groups;
  block /= walk.groups;
  place.chunk = block % walk.chunks;
  place.segment = block / walk.chunks;
  place.channel = (place.group * walk.lanes + threadIdx.x) * pack;
  place.begin = place.chunk * walk.chunk_rows;
  place.end = place.begin + walk.chunk_rows;
  if (place.end > walk.rows) place.end = walk.rows;
  return place;
}

// Rows that a thread takes in one go, from `row` of its segment on.
template <typename T, int kPack, int kRows = kRowsInFlight>
struct RowBatch {
  Pack<T, kPack> packs[kRows];

  __device__ __forceinline__ void Load(const T* data, const RowWalk& walk, const RowPlace& place, int64_t row) {
    SG_KERAS_UNROLL
    for (int k = 0; k < kRows; ++k) {
      const int64_t r = row + k * walk.rows_at_once;
      if (r >= place.end || place.channel >= walk.channels) continue;
      const int64_t offset = (place.segment * walk.rows + r) * walk.channels + place.channel;
      packs[k] = *reinterpret_cast<const Pack<T, kPack>*>(data + offset);
    }
  }

  // Calls visit(k, offset, values) for each of the rows: its number in the batch, where the pack lies, what it holds.
  template <typename Visit>
  __device__ __forceinline__ void ForEach(const RowWalk& walk, const RowPlace& place, int64_t row,
                                          const Visit& visit) const {
    SG_KERAS_UNROLL
    for (int k = 0; k < kRows; ++k) {
      const int64_t r = row + k * walk.rows_at_once;
      if (r >= place.end || place.channel >= walk.channels) continue;
      Number<T> values[kPack];
      Unpack(packs[k], values);
      visit(k, (place.segment * walk.rows + r) * walk.channels + place.channel, values);
    }
  }
};

// Adds each thread's sums over its rows and writes those of the chunk, [segments, chunks, channels]. `shared` has room
// for kRowThreads packs. All threads of the block have to come here.
template <int kPack, typename A>
__device__ __forceinline__ void WriteChunkSums(const RowWalk& walk, const RowPlace& place, const A* sums, A* shared,
                                               A* chunk_sums) {
  const int width = walk.lanes * kPack;
  SG_KERAS_UNROLL
  for (int i = 0; i < kPack; ++i) shared[threadIdx.y * width + threadIdx.x * kPack + i] = sums[i];
  __syncthreads();
  A* target = chunk_sums + (place.segment * walk.chunks + place.chunk) * walk.channels;
  for (int i = threadIdx.y * walk.lanes + threadIdx.x; i < width; i += walk.lanes * walk.rows_at_once) {
    const int64_t channel = place.group * width + i;
    if (channel >= walk.channels) continue;
    A sum = 0;
    for (int row = 0; row < walk.rows_at_once; ++row) sum += shared[row * width + i];
    target[channel] = sum;
  }
  __syncthreads();
}

constexpr int kSumColumns = 32;

// result[segment][column] = sum over parts of values[segment][part][column], in an order that depends on `parts` alone.
template <typename T>
__global__ void SumPartsKernel(const Number<T>* values, int64_t segments, int64_t parts, int64_t columns, T* result) {
  __shared__ Number<T> shared[kSumColumns * kSumColumns];
  const int64_t groups = (columns + kSumColumns - 1) / kSumColumns;
  for (int64_t block = blockIdx.x; block < segments * groups; block += gridDim.x) {
    const int64_t segment = block / groups;
    const int64_t column = block % groups * kSumColumns + threadIdx.x;
    Number<T> sum = 0;
    for (int64_t part = threadIdx.y; column < columns && part < parts; part += blockDim.y) {
      sum += values[(segment * parts + part) * columns + column];
    }
    shared[threadIdx.y * kSumColumns + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < columns) {
      for (unsigned i = 1; i < blockDim.y; ++i) sum += shared[i * kSumColumns + threadIdx.x];
      Store(sum, &result[segment * columns + column]);
    }
    __syncthreads();
  }
}

template <typename T>
void SumParts(const Number<T>* values, int64_t segments, int64_t parts, int64_t columns, T* result, void* stream) {
  const int64_t blocks = segments * ((columns + kSumColumns - 1) / kSumColumns);
  if (blocks == 0) return;
  const unsigned side_by_side = static_cast<unsigned>(std::max<int64_t>(1, std::min<int64_t>(kSumColumns, parts)));
  SG_KERAS_LAUNCH(SumPartsKernel<T>, dim3(static_cast<unsigned>(std::min(blocks, kMostBlocks))),
                  dim3(kSumColumns, side_by_side), 0, stream, values, segments, parts, columns, result);
}

}  // namespace cuda
}  // namespace sg_keras

#endif  // CUSTOM_OPS_COMMON_CC_KERNELS_CUDA_ROWS_H_
