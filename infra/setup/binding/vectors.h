// Which of the processor's vector instructions our kernels compute with.

#pragma once

#include <string>

namespace tfnodejs {

enum class Vectors { kNone, kAvx2, kAvx512 };

/** The best that this processor has, or those that `TEMPEH_VECTORS` names, where it has them. */
Vectors ChosenVectors();

/** avx512, avx2, none. */
const char *NameOf(Vectors vectors);

/** What is wrong with `TEMPEH_VECTORS`; nothing where it is empty. */
std::string WrongVectors();

}  // namespace tfnodejs
