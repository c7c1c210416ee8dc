// Compiled into TensorFlow's binding (see vectors.h).

#include "vectors.h"

#include <cstdlib>

namespace tfnodejs {
namespace {

constexpr Vectors kAll[] = {Vectors::kAvx512, Vectors::kAvx2, Vectors::kNone};

std::string Asked() {
  const char *asked = std::getenv("TEMPEH_VECTORS");
  return asked == nullptr ? "" : asked;
}

bool ProcessorHas(Vectors vectors) {
#ifdef __x86_64__
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (vectors == Vectors::kAvx512) return avx2 && __builtin_cpu_supports("avx512f");
  return vectors == Vectors::kNone || avx2;
#else
  return vectors == Vectors::kNone;
#endif
}

}  // namespace

const char *NameOf(Vectors vectors) {
  if (vectors == Vectors::kAvx512) return "avx512";
  return vectors == Vectors::kAvx2 ? "avx2" : "none";
}

Vectors ChosenVectors() {
  static const Vectors chosen = [] {
    const std::string asked = Asked();
    for (Vectors vectors : kAll) {
      if (ProcessorHas(vectors) && (asked.empty() || asked == NameOf(vectors))) return vectors;
    }
    return Vectors::kNone;
  }();
  return chosen;
}

std::string WrongVectors() {
  const std::string asked = Asked();
  if (asked.empty()) return "";
  for (Vectors vectors : kAll) {
    if (asked == NameOf(vectors)) return "";
  }
  return "TEMPEH_VECTORS is \"" + asked + "\"; expected avx512, avx2 or none. Unset, the best that the processor has is used.";
}

}  // namespace tfnodejs
