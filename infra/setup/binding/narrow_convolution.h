// Convolutions 3³ of volumes of few channels, channels last, that keep the size (tensor/convolution/narrowConvolution.ts):
//
//   y[n,p,o] = Σ_{k,i} x[n, p + k − 1, i] · f[k,i,o],    zeros beyond the border.
//
// oneDNN has no layout for channels that fill no vector, and lays each voxel's neighbourhood out for a matrix product: an
// eighth of the processor's rate. Here a block of volumes, or of planes, is framed by zeros along its width. Each number of
// x is loaded once for the three taps of a row that meet it, and multiplies vectors of eight output channels. The gradient by
// x is the same with the filter turned around; that by the filter has vectors of x's channels, and numbers of dy.
//
// Blocks follow from the sizes alone, and what they come to is added in their order: no bit depends on the number of threads.
//
// Legend: N samples, D H W sides, I O channels, a b c tap.

#pragma once

#include <algorithm>
#include <cstdint>

namespace tfnodejs {
namespace narrow {

/** Taps along each axis, and in all. */
constexpr int64_t kSide = 3, kTaps = kSide * kSide * kSide;
/** Channels of a vector. */
constexpr int64_t kLanes = 8;
/** Voxels that registers hold the sums of at once: along the width, and of several samples where that is short. */
constexpr int64_t kTile = 8;
/** Floats of a framed block, about: what a core's first cache holds. */
constexpr int64_t kBlockFloats = 1 << 13;

constexpr int64_t Parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

struct Sizes {
  int64_t samples, depth, height, width, in, out;

  /** Voxels of a tile along the width, and its samples. */
  int64_t TileWidth() const { return width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1; }
  int64_t TileSamples() const { return kTile / TileWidth(); }
  /** Voxels of a framed row. */
  int64_t RowVoxels() const { return Parts(width, TileWidth()) * TileWidth() + kSide - 1; }
  /** Channels of a framed voxel: some vectors. */
  int64_t FramedChannels() const { return Parts(in, kLanes) * kLanes; }
  int64_t PlaneFloats() const { return height * RowVoxels() * FramedChannels(); }

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
  /** Floats of a filter in vectors of outputs: [O / kLanes, a, b, I, c, kLanes]. */
  int64_t FilterFloats() const { return Parts(out, kLanes) * kTaps * in * kLanes; }
  /** Floats of a filter's gradient in vectors of inputs: [I / kLanes, a, b, O, c, kLanes]. */
  int64_t GradientFloats() const { return Parts(in, kLanes) * kTaps * out * kLanes; }
};

/** @param filter in vectors of outputs */
void Convolve(const Sizes &sizes, int64_t block, const float *x, const float *filter, float *y);

/** What a block adds to the filter's gradient. @param sums in vectors of inputs */
void SumFilter(const Sizes &sizes, int64_t block, const float *x, const float *dy, float *sums);

}  // namespace narrow
}  // namespace tfnodejs
