// What the library was built from and for: lines KEY=VALUE, found in the file by its first line, without loading it.

#include "custom_ops/common/build_stamp_values.h"

#if defined(__clang__)
#define SG_KERAS_COMPILER "clang++ " __clang_version__
#else
#define SG_KERAS_COMPILER "g++ " __VERSION__
#endif

#define SG_KERAS_TEXT_OF(value) #value
#define SG_KERAS_TEXT(macro) SG_KERAS_TEXT_OF(macro)

namespace {

// The sign for "begin" occurs once in a library: sg_keras/ops/build_stamp.py searches for it.
__attribute__((used)) const char kStamp[] =
    "sg_keras build stamp\n"
    "cxx11_abi=" SG_KERAS_TEXT(_GLIBCXX_USE_CXX11_ABI) "\n"
    "compiler=" SG_KERAS_COMPILER "\n" SG_KERAS_STAMP_VALUES;

}  // namespace

extern "C" __attribute__((visibility("default"))) const char* sg_keras_build_stamp() { return kStamp; }
