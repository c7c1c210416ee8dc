// Batch normalisation by the batch, with what follows it: a rectifier, or the addition of a skip and a rectifier
// (tensor/kernels/ownNormalization.ts). Each pass goes through memory twice: once for its sums, once for its result.
//
//   y = r((x − m) · f + offset (+ skip)),   f = scale / √(v + ε),   r(z) = max(z, 0), or z
//   g = dy where y > 0,   b = Σ g,   a = Σ g ∘ (x − m),   dskip = g
//   dx = f ∘ (g − b / P − (x − m) ∘ a / ((v + ε) P)),   dscale = a / √(v + ε),   doffset = b
//
// A block of rows, which a core's cache holds, gives its own mean and the squares around it; blocks are put together in
// double precision, in their order. Blocks follow from the sizes alone: no bit depends on the number of threads. Both
// instruction sets add in the same order, too. Without a skip, what y is greater than 0 is computed again of x.
//
// Legend: P rows (pixels or voxels), C channels, m mean, v variance.

#pragma once

#include <algorithm>
#include <cstdint>

namespace tfnodejs {
namespace normalization {

/** Channels have to be a multiple of it: vectors of both instruction sets. */
constexpr int64_t kChannelMultiple = 16;
/** Numbers of a block, about. */
constexpr int64_t kBlockNumbers = 1 << 14;

struct Sizes {
  int64_t rows, channels;

  int64_t BlockRows() const { return std::max<int64_t>(1, kBlockNumbers / channels); }
  int64_t Blocks() const { return (rows + BlockRows() - 1) / BlockRows(); }
};

/** What each channel is normalised with. [C] */
struct Line {
  const float *mean, *factor, *offset;
  bool rectifies;
};

/** What a block comes to, each [C]: about its mean m', Σ (x − m') and Σ (x − m')². */
struct Moments {
  float *mean, *rest, *squares;
};

/** What is made of the gradient in a channel: dx = factor · (g + shift + (x − mean) · slope). [C] */
struct Slope {
  const float *shift, *slope;
};

/** The parts, of one instruction set. Arrays are [P, C]; a part does the rows of its block. */
struct InstructionSet {
  void (*measure)(const Sizes &, int64_t block, const float *x, const Moments &moments);
  /** @param skip nullptr: none */
  void (*normalize)(const Sizes &, int64_t block, const Line &, const float *x, const float *skip, float *y);
  /**
   * @param y by what is greater than 0 in it gradients pass, which g is made of; nullptr: by x, and there is no g.
   * @param shifts Σ g and slopes Σ g ∘ (x − m) of the block. [C]
   */
  void (*sumGradients)(const Sizes &, int64_t block, const Line &, const float *dy, const float *x, const float *y,
                       float *g, float *shifts, float *slopes);
  /** @param g as it was made; nullptr: made of dy. */
  void (*differentiate)(const Sizes &, int64_t block, const Line &, const Slope &, const float *dy, const float *x,
                        const float *g, float *dx);
};

/** Those of `ChosenVectors()`; nullptr: none. */
const InstructionSet *ChosenInstructionSet();

}  // namespace normalization
}  // namespace tfnodejs
