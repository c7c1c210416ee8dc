// Compiled into TensorFlow's binding: the blocks of narrow convolutions (see narrow_convolution.h).

#include "narrow_convolution.h"

#include <cstring>

#include "floats.h"

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2,fma")))

namespace tfnodejs {
namespace narrow {
namespace {

/** Output channels that the filter's gradient takes at once: with three taps each, registers hold no more sums. */
constexpr int kOutputs = 4;

/** Taps along an axis that meet the volume at a place: from `first` to before `last`. */
struct Met {
  int64_t first, last;

  Met(int64_t place, int64_t length) : first(place == 0 ? 1 : 0), last(place == length - 1 ? 2 : kSide) {}
};

/** A block, with the planes that its taps reach: each row framed by zeros, channels filled up to vectors by zeros. */
class Block {
 public:
  Block(const Sizes &sizes, int64_t index, const float *x)
      : sizes(sizes),
        firstSample(index / sizes.BlocksOfDepth() * sizes.BlockSamples()),
        samples(std::min(sizes.BlockSamples(), sizes.samples - firstSample)),
        firstPlane(index % sizes.BlocksOfDepth() * sizes.BlockPlanes()),
        lastPlane(std::min(sizes.depth, firstPlane + sizes.BlockPlanes())),
        firstMet_(std::max<int64_t>(0, firstPlane - 1)),
        lastMet_(std::min(sizes.depth, lastPlane + 1)),
        voxel(sizes.FramedChannels()),
        row(sizes.RowVoxels() * voxel),
        plane(sizes.PlaneFloats()),
        sample((lastMet_ - firstMet_) * plane),
        // Samples that a tile takes beyond the last are zeros.
        framed_(RoundUp(samples, sizes.TileSamples()) * sample) {
    memset(framed_, 0, sizeof(float) * RoundUp(samples, sizes.TileSamples()) * sample);
    for (int64_t n = 0; n < samples; n++) {
      for (int64_t d = firstMet_; d < lastMet_; d++) {
        for (int64_t h = 0; h < sizes.height; h++) {
          const float *from = x + Voxel(n, d, h) * sizes.in;
          CopyRow(from, framed_ + n * sample + (d - firstMet_) * plane + h * row + voxel);
        }
      }
    }
  }

  /** The row that taps a, b of a place meet, from its frame on. */
  const float *Row(int64_t n, int64_t d, int64_t h, int64_t a, int64_t b) const {
    return framed_ + n * sample + (d + a - 1 - firstMet_) * plane + (h + b - 1) * row;
  }

  /** The first voxel of a row. */
  int64_t Voxel(int64_t n, int64_t d, int64_t h) const {
    return (((firstSample + n) * sizes.depth + d) * sizes.height + h) * sizes.width;
  }

  const Sizes &sizes;
  const int64_t firstSample, samples, firstPlane, lastPlane;

 private:
  void CopyRow(const float *from, float *to) const {
    if (voxel == sizes.in) {
      memcpy(to, from, sizeof(float) * sizes.width * sizes.in);
      return;
    }
    for (int64_t w = 0; w < sizes.width; w++) memcpy(to + w * voxel, from + w * sizes.in, sizeof(float) * sizes.in);
  }

  const int64_t firstMet_, lastMet_;

 public:
  /** Floats from one to the next. */
  const int64_t voxel, row, plane, sample;

 private:
  const Floats framed_;
};

/** The first `count` numbers of a vector. */
KERNEL inline void StoreLanes(float *to, __m256 vector, int64_t count) {
  if (count == kLanes) {
    _mm256_storeu_ps(to, vector);
    return;
  }
  float numbers[kLanes];
  _mm256_storeu_ps(numbers, vector);
  memcpy(to, numbers, sizeof(float) * count);
}

/** Rows of kSamples samples, kWidth voxels of each at a time, for a vector of output channels. */
template <int kSamples, int kWidth>
KERNEL void ConvolveRows(const Block &block, int64_t n, int64_t d, int64_t h, const float *filter, int64_t channel, float *y) {
  const Sizes &sizes = block.sizes;
  const Met planes(d, sizes.depth), rows(h, sizes.height);
  const int64_t lanes = std::min(kLanes, sizes.out - channel);
  for (int64_t w = 0; w < sizes.width; w += kWidth) {
    __m256 sum[kSamples][kWidth];
#pragma GCC unroll 8
    for (int s = 0; s < kSamples; s++) {
#pragma GCC unroll 8
      for (int t = 0; t < kWidth; t++) sum[s][t] = _mm256_setzero_ps();
    }
    for (int64_t a = planes.first; a < planes.last; a++) {
      for (int64_t b = rows.first; b < rows.last; b++) {
        const float *from = block.Row(n, d, h, a, b) + w * block.voxel;
        const float *taps = filter + (a * kSide + b) * kSide * sizes.in * kLanes;
        for (int64_t i = 0; i < sizes.in; i++, from++, taps += kSide * kLanes) {
          const __m256 weights[kSide] = {_mm256_load_ps(taps), _mm256_load_ps(taps + kLanes),
                                         _mm256_load_ps(taps + 2 * kLanes)};
#pragma GCC unroll 8
          for (int s = 0; s < kSamples; s++) {
#pragma GCC unroll 10
            for (int v = 0; v < kWidth + kSide - 1; v++) {
              const __m256 number = _mm256_broadcast_ss(from + s * block.sample + v * block.voxel);
#pragma GCC unroll 3
              for (int c = 0; c < kSide; c++) {
                if (v >= c && v - c < kWidth) sum[s][v - c] = _mm256_fmadd_ps(number, weights[c], sum[s][v - c]);
              }
            }
          }
        }
      }
    }
#pragma GCC unroll 8
    for (int s = 0; s < kSamples; s++) {
      float *to = y + (block.Voxel(n + s, d, h) + w) * sizes.out + channel;
#pragma GCC unroll 8
      for (int t = 0; t < kWidth; t++) {
        if (n + s < block.samples && w + t < sizes.width) StoreLanes(to + t * sizes.out, sum[s][t], lanes);
      }
    }
  }
}

using Rows = void (*)(const Block &, int64_t n, int64_t d, int64_t h, const float *filter, int64_t channel, float *y);

Rows RowsOf(const Sizes &sizes) {
  switch (sizes.TileWidth()) {
    case 8: return ConvolveRows<1, 8>;
    case 4: return ConvolveRows<2, 4>;
    case 2: return ConvolveRows<4, 2>;
    default: return ConvolveRows<8, 1>;
  }
}

/** sums[o][c] = Σ x's vector at tap c · dy[o] over the block's voxels, for kCount output channels. */
template <int kCount>
KERNEL void SumTaps(const Block &block, const float *dy, int64_t a, int64_t b, int64_t channel, float *sums) {
  const Sizes &sizes = block.sizes;
  __m256 sum[kCount][kSide];
#pragma GCC unroll 4
  for (int o = 0; o < kCount; o++) {
#pragma GCC unroll 3
    for (int c = 0; c < kSide; c++) sum[o][c] = _mm256_setzero_ps();
  }
  const int64_t firstRow = b == 0 ? 1 : 0, lastRow = b == kSide - 1 ? sizes.height - 1 : sizes.height;
  const int64_t firstPlane = std::max<int64_t>(block.firstPlane, a == 0 ? 1 : 0);
  const int64_t lastPlane = std::min(block.lastPlane, a == kSide - 1 ? sizes.depth - 1 : sizes.depth);
  for (int64_t n = 0; n < block.samples; n++) {
    for (int64_t d = firstPlane; d < lastPlane; d++) {
      for (int64_t h = firstRow; h < lastRow; h++) {
        const float *from = block.Row(n, d, h, a, b) + channel, *numbers = dy + block.Voxel(n, d, h) * sizes.out;
        for (int64_t w = 0; w < sizes.width; w++, from += block.voxel, numbers += sizes.out) {
          const __m256 vectors[kSide] = {_mm256_load_ps(from), _mm256_load_ps(from + block.voxel),
                                         _mm256_load_ps(from + 2 * block.voxel)};
#pragma GCC unroll 4
          for (int o = 0; o < kCount; o++) {
            const __m256 number = _mm256_broadcast_ss(numbers + o);
#pragma GCC unroll 3
            for (int c = 0; c < kSide; c++) sum[o][c] = _mm256_fmadd_ps(vectors[c], number, sum[o][c]);
          }
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int o = 0; o < kCount; o++) {
#pragma GCC unroll 3
    for (int c = 0; c < kSide; c++) _mm256_storeu_ps(sums + (o * kSide + c) * kLanes, sum[o][c]);
  }
}

using Taps = void (*)(const Block &, const float *dy, int64_t a, int64_t b, int64_t channel, float *sums);

/** By how many output channels they take. */
constexpr Taps kTapsOf[] = {nullptr, SumTaps<1>, SumTaps<2>, SumTaps<3>, SumTaps<kOutputs>};

}  // namespace

void Convolve(const Sizes &sizes, int64_t index, const float *x, const float *filter, float *y) {
  const Block block(sizes, index, x);
  const Rows rows = RowsOf(sizes);
  for (int64_t channel = 0; channel < sizes.out; channel += kLanes) {
    for (int64_t n = 0; n < block.samples; n += sizes.TileSamples()) {
      for (int64_t d = block.firstPlane; d < block.lastPlane; d++) {
        for (int64_t h = 0; h < sizes.height; h++) rows(block, n, d, h, filter, channel, y);
      }
    }
    filter += kTaps * sizes.in * kLanes;
  }
}

void SumFilter(const Sizes &sizes, int64_t index, const float *x, const float *dy, float *sums) {
  const Block block(sizes, index, x);
  for (int64_t channel = 0; channel < sizes.in; channel += kLanes) {
    for (int64_t tap = 0; tap < kSide * kSide; tap++) {
      for (int64_t o = 0; o < sizes.out; o += kOutputs) {
        const int64_t count = std::min<int64_t>(kOutputs, sizes.out - o);
        kTapsOf[count](block, dy + o, tap / kSide, tap % kSide, channel, sums);
        sums += count * kSide * kLanes;
      }
    }
  }
}

}  // namespace narrow
}  // namespace tfnodejs

#endif
