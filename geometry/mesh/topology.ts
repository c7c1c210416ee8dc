/** What depends on a mesh's faces alone: edges, and rings of neighbours. Compute it once per topology. */

/**
 * The unique undirected edges of a topology.
 *
 * @param faces `[F, 3]` vertex indices.
 * @returns `[E, 2]`, each pair's lower vertex first; pairs ascend by the higher vertex, then by the lower one, as in
 *   the published system.
 */
export function uniqueEdges(faces: Uint32Array): Uint32Array {
  let vertexCount = 0;
  for (const vertex of faces) vertexCount = Math.max(vertexCount, vertex + 1);
  // A pair as one number below 2^53: exact, and sorts as the pair does.
  const keys = new Float64Array(faces.length);
  for (let corner = 0; corner < faces.length; corner++) {
    const face = corner - (corner % 3);
    const a = faces[corner]!;
    const b = faces[face + ((corner + 1) % 3)]!;
    keys[corner] = Math.max(a, b) * vertexCount + Math.min(a, b);
  }
  keys.sort();
  const edges = new Uint32Array(keys.length * 2);
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (i > 0 && key === keys[i - 1]) continue;
    edges[2 * count] = key % vertexCount;
    edges[2 * count + 1] = Math.floor(key / vertexCount);
    count++;
  }
  return edges.slice(0, 2 * count);
}

/** Neighbours of each vertex in compressed rows: those of vertex v are `neighbours[starts[v]] … neighbours[starts[v + 1] - 1]`. */
export interface Adjacency {
  /** `[L + 1]`. */
  readonly starts: Uint32Array;
  /** `[2 E]`, ascending within a row. */
  readonly neighbours: Uint32Array;
}

/**
 * The vertices that share an edge with each vertex.
 *
 * @param edges `[E, 2]`, as `uniqueEdges` returns them.
 * @param vertexCount L; vertices without an edge have an empty row.
 */
export function vertexAdjacency(edges: Uint32Array, vertexCount: number): Adjacency {
  const starts = new Uint32Array(vertexCount + 1);
  for (const vertex of edges) starts[vertex + 1]!++;
  for (let vertex = 0; vertex < vertexCount; vertex++) starts[vertex + 1]! += starts[vertex]!;
  const next = starts.slice(0, vertexCount);
  const neighbours = new Uint32Array(edges.length);
  for (let i = 0; i < edges.length; i += 2) {
    const a = edges[i]!;
    const b = edges[i + 1]!;
    neighbours[next[a]!++] = b;
    neighbours[next[b]!++] = a;
  }
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    neighbours.subarray(starts[vertex], starts[vertex + 1]).sort();
  }
  return { starts, neighbours };
}

/**
 * The vertices that `rings` steps along edges, or fewer, take one to from a set of vertices.
 *
 * @param seeds vertex indices, any order.
 * @param rings 0 returns the seeds themselves.
 * @returns ascending vertex indices, the seeds among them.
 */
export function expandRegion(adjacency: Adjacency, seeds: ArrayLike<number>, rings: number): Uint32Array {
  const inside = new Uint8Array(adjacency.starts.length - 1);
  let front = Array.from(seeds);
  for (const vertex of front) inside[vertex] = 1;
  for (let ring = 0; ring < rings; ring++) {
    const next: number[] = [];
    for (const vertex of front) {
      for (let i = adjacency.starts[vertex]!; i < adjacency.starts[vertex + 1]!; i++) {
        const neighbour = adjacency.neighbours[i]!;
        if (inside[neighbour] === 1) continue;
        inside[neighbour] = 1;
        next.push(neighbour);
      }
    }
    front = next;
  }
  const region: number[] = [];
  for (let vertex = 0; vertex < inside.length; vertex++) if (inside[vertex] === 1) region.push(vertex);
  return Uint32Array.from(region);
}
