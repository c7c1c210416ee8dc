// Filter gradients of convolutions, channels last (tensor/convolution/filterGradient.ts):
//
//   df[a,b,c,i,o] = Σ_{n,d,h,w} x[n, s·d + a − p, s·h + b − p, s·w + c − p, i] · dy[n,d,h,w,o]
//
// With AVX2 oneDNN comes to 45 to 75 % of a matrix product's rate at it. Here a block of some 256 pixels of x and dy is laid
// out as a product's panels, once for all taps of a plane (b, c), each of which multiplies it shifted; pixels that a tap
// would find beyond the border are passed over. Nothing of x is written more than once for each depth a of the filter.
//
// A tile is a depth a, and kWidest channels by kWidest, with all b and c. A task is a group of the blocks of a tile. Tiles,
// blocks and groups follow from the sizes alone, and what groups come to is added in their order: no bit depends on the
// number of threads.
//
// Legend: N samples, D H W sides of x, I O channels, s stride, p padding, a b c tap.

#pragma once

#include <algorithm>
#include <cstdint>

#include "floats.h"

namespace tfnodejs {
namespace filters {

/** Channels of x, and of dy, that registers hold at once; others are padded with zeros. */
constexpr int64_t kRows = 4, kColumns = 16;
constexpr int64_t kPanelSums = kRows * kColumns;
/** Channels of a tile, of x and of dy. */
constexpr int64_t kWidest = 64;
/** Pixels of a block, about. */
constexpr int64_t kBlockPixels = 256;
/** Tiles are divided into groups until there are so many tasks, if there are enough blocks. */
constexpr int64_t kManyTasks = 64;

constexpr int64_t Parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

/** An axis: sides of x, dy and filter. */
struct Axis {
  int64_t x, y, taps, stride, padding;

  /** The first pixel of dy at which a tap meets x, and the one after the last. */
  int64_t First(int64_t tap) const { return std::max<int64_t>(0, Parts(padding - tap, stride)); }
  int64_t Last(int64_t tap) const {
    const int64_t room = x - 1 - tap + padding;
    return room < 0 ? 0 : std::min(y, room / stride + 1);
  }
  /** The pixel of x that a tap meets. */
  int64_t Met(int64_t pixel, int64_t tap) const { return stride * pixel + tap - padding; }
};

/** A part of a whole, by channels. */
struct Channels {
  int64_t first, count;
};

struct Problem {
  const float *x;   // [N, D, H, W, I]
  const float *dy;  // [N, D', H', W', O]
  int64_t samples, in, out;
  Axis depth, height, width;

  int64_t Taps() const { return height.taps * width.taps; }
  int64_t InTiles() const { return Parts(in, kWidest); }
  int64_t OutTiles() const { return Parts(out, kWidest); }
  int64_t Tiles() const { return depth.taps * InTiles() * OutTiles(); }
  int64_t DepthOf(int64_t tile) const { return tile / (InTiles() * OutTiles()); }
  Channels InOf(int64_t tile) const { return Part(in, tile / OutTiles() % InTiles()); }
  Channels OutOf(int64_t tile) const { return Part(out, tile % OutTiles()); }

  /** Rows of a block that is a part of a plane; all of them where a block is some planes. */
  int64_t BlockRows() const { return Parts(height.y, Parts(height.y * width.y, kBlockPixels)); }
  int64_t BlocksOfPlane() const { return Parts(height.y, BlockRows()); }
  int64_t BlockPlanes() const { return std::max<int64_t>(1, kBlockPixels / (height.y * width.y)); }
  /** Planes of dy that meet x at a depth of the filter. */
  int64_t Planes(int64_t a) const { return samples * std::max<int64_t>(0, depth.Last(a) - depth.First(a)); }
  int64_t Blocks(int64_t a) const { return Parts(Planes(a), BlockPlanes()) * BlocksOfPlane(); }

  int64_t Groups() const {
    const int64_t most = Parts(samples * depth.y, BlockPlanes()) * BlocksOfPlane();
    return std::max<int64_t>(1, std::min(most, Parts(kManyTasks, Tiles())));
  }
  int64_t Tasks() const { return Tiles() * Groups(); }
  /** Floats that a task comes to: [O / kColumns, I / kRows, taps, kRows, kColumns], channels rounded up. */
  int64_t TaskSums() const {
    return RoundUp(std::min(in, kWidest), kRows) * RoundUp(std::min(out, kWidest), kColumns) * Taps();
  }

 private:
  static Channels Part(int64_t all, int64_t index) {
    return {index * kWidest, std::min(kWidest, all - index * kWidest)};
  }
};

/** What a group of a tile comes to. AVX2 and FMA only. @param sums of TaskSums() */
void SumGroup(const Problem &problem, int64_t task, float *sums);

/** Adds what a tile's groups have come to. @param sums of all tasks @param filter [taps of all axes, I, O] */
void AddGroups(const Problem &problem, int64_t tile, const float *sums, float *filter);

}  // namespace filters
}  // namespace tfnodejs
