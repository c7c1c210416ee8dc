import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateHeadTemplate, Part } from '../../miniature/head/headTemplate.js';
import { regionNames } from '../../datasets/vertexRegions.js';

/** How often each directed edge occurs: in a consistently oriented manifold, once at most. */
function directedEdges(faces: Uint32Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (let corner = 0; corner < faces.length; corner++) {
    const face = corner - (corner % 3);
    const key = `${faces[corner]!}>${faces[face + ((corner + 1) % 3)]!}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Volume inside a closed surface, mm³; positive when its faces are counter-clockwise seen from outside. */
function signedVolume(vertices: Float32Array, faces: readonly number[]): number {
  let volume = 0;
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f]!, 3 * faces[f + 1]!, 3 * faces[f + 2]!];
    volume +=
      (vertices[a]! * (vertices[b + 1]! * vertices[c + 2]! - vertices[b + 2]! * vertices[c + 1]!) -
        vertices[a + 1]! * (vertices[b]! * vertices[c + 2]! - vertices[b + 2]! * vertices[c]!) +
        vertices[a + 2]! * (vertices[b]! * vertices[c + 1]! - vertices[b + 1]! * vertices[c]!)) /
      6;
  }
  return volume;
}

for (const vertexCount of [150, 157, 320, 1001, 5023]) {
  test(`a template of ${vertexCount} vertices is an oriented surface, open at the neck only`, () => {
    const { mesh, part, regions } = generateHeadTemplate(vertexCount);
    assert.equal(mesh.vertices.length, 3 * vertexCount);
    assert.deepEqual(
      [...new Set(mesh.faces)].sort((a, b) => a - b),
      Array.from({ length: vertexCount }, (_, vertex) => vertex),
      'every vertex is in a face',
    );

    const edges = directedEdges(mesh.faces);
    assert.ok([...edges.values()].every((count) => count === 1));
    const open = [...edges.keys()].filter((key) => !edges.has(key.split('>').reverse().join('>')));
    const openVertices = new Set(open.flatMap((key) => key.split('>').map(Number)));
    assert.deepEqual(
      [...openVertices].sort((a, b) => a - b),
      [...regions.boundary],
    );
    assert.equal(open.length, regions.boundary.length, 'one loop');

    for (const [wanted, expected] of [
      [Part.leftEyeball, (4 / 3) * Math.PI * 12 ** 3],
      [Part.rightEyeball, (4 / 3) * Math.PI * 12 ** 3],
      [Part.skin, 4.0e6],
    ] as const) {
      const faces: number[] = [];
      for (let f = 0; f < mesh.faces.length; f += 3) {
        if (part[mesh.faces[f]!] === wanted) faces.push(...mesh.faces.subarray(f, f + 3));
      }
      const volume = signedVolume(mesh.vertices, faces);
      assert.ok(volume > 0.4 * expected && volume < 1.4 * expected, `part ${wanted}: ${volume} mm³`);
    }
  });

  test(`regions of ${vertexCount} vertices are what training looks up: ascending, in range, none empty`, () => {
    const { mesh, part, regions } = generateHeadTemplate(vertexCount);
    for (const name of regionNames) {
      const indices = regions[name];
      assert.ok(indices.length >= 2, `${name} has ${indices.length}`);
      indices.forEach((index, i) => assert.ok(index < vertexCount && (i === 0 || index > indices[i - 1]!), name));
      const wanted =
        name === 'left_eyeball' ? Part.leftEyeball : name === 'right_eyeball' ? Part.rightEyeball : Part.skin;
      assert.ok(
        indices.every((index) => part[index] === wanted),
        `${name} is on one part`,
      );
    }
    const meanX = (indices: Uint32Array): number =>
      indices.reduce((sum, index) => sum + mesh.vertices[3 * index]!, 0) / indices.length;
    // The subject's left is +x, as in FLAME.
    for (const name of ['ear', 'eyeball', 'eye_region'] as const) {
      assert.ok(meanX(regions[`left_${name}`]) > 15 && meanX(regions[`right_${name}`]) < -15, name);
    }
    assert.ok(Math.abs(meanX(regions.lips)) < 8);
  });
}

test('the head has the size of a head, with its origin inside', () => {
  const { vertices } = generateHeadTemplate(320).mesh;
  for (const [axis, least, most] of [
    [0, 150, 200],
    [1, 240, 270],
    [2, 190, 230],
  ] as const) {
    const values = Array.from({ length: vertices.length / 3 }, (_, i) => vertices[3 * i + axis]!);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    assert.ok(low < -60 && high > 60 && high - low > least && high - low < most, `axis ${axis}: ${low} to ${high} mm`);
  }
});

test('too few vertices for a head are refused', () => {
  assert.throws(() => generateHeadTemplate(149), /149 vertices; expected a whole number, 150 or more/);
});
