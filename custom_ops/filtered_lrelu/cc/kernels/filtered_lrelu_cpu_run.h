// The body of filtered_lrelu_cpu_<processor>.cc: see vector_block.h.

#include "custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cpu_tile.h"

namespace sg_keras {
namespace SG_KERAS_PROCESSOR {

#define SG_KERAS_DEFINE(T)                                                                            \
  void RunTile(const FilteredLreluPlan<Computation<T>::Type>& plan, const FilteredLreluTile<T>& tile, \
               std::vector<char>* workspace) {                                                        \
    const size_t size = TileRun<T>::WorkspaceSize(plan, tile);                                        \
    if (workspace->size() < size) workspace->resize(size);                                            \
    TileRun<T>(plan, tile, workspace->data()).Run();                                                  \
  }
SG_KERAS_DEFINE(float)
SG_KERAS_DEFINE(double)
SG_KERAS_DEFINE(BFloat16Bits)
#undef SG_KERAS_DEFINE

}  // namespace SG_KERAS_PROCESSOR
}  // namespace sg_keras
