// Convolutions of volumes by few channels, channels last, of stride 1 and an odd side, that keep the size
// (tensor/convolution/narrowConvolution.ts):
//
//   y[n,p,o] = Σ_{k,i} x[n, p + k − r, i] · f[k,i,o],    r = (K − 1)/2, zeros beyond the border.
//
// oneDNN has no layout for channels that fill no vector, and lays each voxel's neighbourhood out for a matrix product: an
// eighth of the processor's rate. Here a block of volumes, or of planes, is framed by zeros along its width; then a tap's
// row and channels are one run of numbers, each of which multiplies a vector of eight output channels. The gradient by x is
// the same with the filter turned around; that by the filter sums a vector of dy times such a run.
//
// Blocks follow from the sizes alone, and what they come to is added in their order: no bit depends on the number of threads.
//
// Legend: N samples, D H W sides, I O channels, K side of the filter, a b c tap.

#pragma once

#include <algorithm>
#include <cstdint>

namespace tfnodejs {
namespace narrow {

/** Output channels of a vector. */
constexpr int64_t kLanes = 8;
/** Voxels that registers hold the sums of at once: along the width, and of several samples where that is short. */
constexpr int64_t kTile = 8;
/** Floats of a framed block, about: what a core's first cache holds. */
constexpr int64_t kBlockFloats = 1 << 13;

constexpr int64_t Parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

struct Sizes {
  int64_t samples, depth, height, width, in, out, side;

  int64_t Reach() const { return (side - 1) / 2; }
  int64_t Taps() const { return side * side * side; }
  /** Voxels of a tile along the width, and its samples. */
  int64_t TileWidth() const { return width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1; }
  int64_t TileSamples() const { return kTile / TileWidth(); }
  /** Voxels of a framed row. */
  int64_t RowVoxels() const { return Parts(width, TileWidth()) * TileWidth() + side - 1; }
  int64_t PlaneFloats() const { return height * RowVoxels() * in; }

  /** Samples and planes of a block. */
  int64_t BlockSamples() const {
    const int64_t whole = kBlockFloats / (depth * PlaneFloats()) / TileSamples() * TileSamples();
    return std::max(whole, TileSamples());
  }
  int64_t BlockPlanes() const {
    return std::min(depth, std::max<int64_t>(1, kBlockFloats / (TileSamples() * PlaneFloats())));
  }
  int64_t BlocksOfDepth() const { return Parts(depth, BlockPlanes()); }
  int64_t Blocks() const { return Parts(samples, BlockSamples()) * BlocksOfDepth(); }
  /** Floats of a filter in vectors: [O / kLanes, K, K, K, I, kLanes]. */
  int64_t FilterFloats() const { return Parts(out, kLanes) * Taps() * in * kLanes; }
};

/** @param filter in vectors */
void Convolve(const Sizes &sizes, int64_t block, const float *x, const float *filter, float *y);

/** What a block adds to the filter's gradient. @param sums in vectors */
void SumFilter(const Sizes &sizes, int64_t block, const float *x, const float *dy, float *sums);

}  // namespace narrow
}  // namespace tfnodejs
