// Softmax over voxels and the expectation of a vector at them (tensor/kernels/softmaxExpectation.ts, whose legend is this
// one's), tile by tile: logits, exponentials and what their gradients are never leave a core's cache.
//
//   a[n,l] = Σ_c keys[n,c] · queries[c,l],   e = exp(a − s),   z[l] = Σ_n e[n,l],   y[l] = Σ_n e[n,l] · values[n] / z[l]
//   da = e ∘ ((values − y) · dyᵀ / z),   dqueries = keysᵀ · da,   dkeys = da · queriesᵀ
//
// A block has kBlock voxels, a tile is a block by kTile queries, a panel the queries that go through registers at once. A
// task is a group of voxels of a sample, with all queries. Groups follow from the sizes alone, and what they come to is
// added in their order: no bit depends on the number of threads, nor on their luck. Both instruction sets add in the same
// order, too.

#pragma once

#include <cstdint>

#include "floats.h"

namespace tfnodejs {
namespace softmax {

constexpr int64_t kBlock = 192;
constexpr int64_t kTile = 192;
/** Queries are padded to a multiple of it: panels of both instruction sets. */
constexpr int64_t kQueryMultiple = 48;
/** Channels are padded to a multiple of it. */
constexpr int64_t kChannelMultiple = 32;
/** A value's components, padded with zeros, and a last one that is 1 and counts. */
constexpr int64_t kComponents = 4;
/** What a group comes to for a query: s, Σ e·values, Σ e. */
constexpr int64_t kPartials = 1 + kComponents;
/** The voxels of a sample are divided into at most so many groups. */
constexpr int64_t kMostGroups = 16;

struct Sizes {
  int64_t samples, voxels, channels, queries, components;

  int64_t PaddedChannels() const { return RoundUp(channels, kChannelMultiple); }
  int64_t PaddedQueries() const { return RoundUp(queries, kQueryMultiple); }
  int64_t Tiles() const { return (queries + kTile - 1) / kTile; }
  /** Queries of a tile, with padding. */
  int64_t TileWidth(int64_t tile) const {
    const int64_t left = PaddedQueries() - tile * kTile;
    return left < kTile ? left : kTile;
  }
  /** Voxels of a group, but for the last. */
  int64_t GroupSize() const { return RoundUp((voxels + kMostGroups - 1) / kMostGroups, kBlock); }
  int64_t Groups() const { return (voxels + GroupSize() - 1) / GroupSize(); }
  int64_t Tasks() const { return samples * Groups(); }
};

/** What is given, row by row, and copies of the queries that are laid out for the products. */
struct Problem {
  Sizes sizes;
  const float *keys;     // [B, N, C]
  const float *queries;  // [C, L]
  const float *values;   // [N, K]
  /** A panel's queries side by side, channel by channel. */
  float *panels;
  /** The same the other way about: of a tile, channels side by side, query by query. For gradients alone. */
  float *rows;
  /** Where logits are kept for the gradients; nullptr: they compute them again. [B, N, L] */
  float *logits;
};

/** What a gradient takes beside the problem. */
struct Slopes {
  const float *shifts;  // s, padded. [B, L']
  const float *slopes;  // dy / z, and −dy · y / z for the last component, padded. [B, kComponents, L']
};

/** The kernel's parts, of one instruction set. A task's index runs through the samples' groups. */
struct InstructionSet {
  /** Lays out the queries of a tile. */
  void (*layOut)(const Problem &, int64_t tile);
  /** @param partials what the task comes to. [kPartials, L'] */
  void (*forward)(const Problem &, int64_t task, float *partials);
  /** @param dQueries the task's part of it, in panels. [L' · C'] @param dKeys of all samples. [B, N, C] */
  void (*backward)(const Problem &, const Slopes &, int64_t task, float *dQueries, float *dKeys);
  /** Adds the parts of the tasks in their order: the columns of a tile. @param dQueries `[C, L]` */
  void (*addUp)(const Problem &, int64_t tile, const float *parts, float *dQueries);
};

/** Those of `ChosenVectors()`; nullptr: none. */
const InstructionSet *ChosenInstructionSet();

}  // namespace softmax
}  // namespace tfnodejs
