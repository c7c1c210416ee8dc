import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FormatError } from '../../../datasets/formats/formatError.js';
import { parseObj } from '../../../datasets/formats/meshes/obj.js';
import { parsePly } from '../../../datasets/formats/meshes/ply.js';
import type { Mesh } from '../../../geometry/mesh/mesh.js';

/** Of all triangles; and what they enclose with a sign by their turn in the plane z = 0. */
function areas({ vertices, faces }: Mesh): { total: number; signed: number } {
  let [total, signed] = [0, 0];
  for (let i = 0; i < faces.length; i += 3) {
    const at = (corner: number, axis: number): number => vertices[3 * faces[i + corner]! + axis]!;
    const side = (corner: number, axis: number): number => at(corner, axis) - at(0, axis);
    const area = (side(1, 0) * side(2, 1) - side(1, 1) * side(2, 0)) / 2;
    total += Math.abs(area);
    signed += area;
  }
  return { total, signed };
}

function refuses(parse: () => unknown, message: RegExp): void {
  assert.throws(parse, (error: unknown) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

const xyz = 'property float x\nproperty float y\nproperty float z';
const square = '0 0 0\n100 0 0\n0 100 0\n100 100 0\n';
const plyOf = (start: string, elements: string, rows: string): Buffer =>
  Buffer.from(`${start}format ascii 1.0\nelement vertex 4\n${xyz}\n${elements}end_header\n${square}${rows}`);

describe('meshes as other programs write them', () => {
  test('ply: a byte order mark, capitals, a blank behind the first word', () => {
    const faces = 'element face 2\nproperty list uchar int vertex_indices\n';
    for (const start of ['\ufeffply\n', 'PLY\n', 'ply \n', 'Ply\t\r\n']) {
      const mesh = parsePly(plyOf(start, faces, '3 0 1 2\n3 1 3 2\n'), 'x');
      assert.deepEqual([...mesh.faces], [0, 1, 2, 1, 3, 2]);
      assert.equal(mesh.vertices.length, 12);
    }
    refuses(() => parsePly(Buffer.from('polygon\n'), 'x'), /line 1: expected "ply"/);
  });

  test('ply: rows that are longer or shorter than declared are named, in binary what is left over', () => {
    const rows = (text: string): Buffer =>
      Buffer.from(`ply\nformat ascii 1.0\nelement vertex 2\n${xyz}\nend_header\n${text}`);
    refuses(() => parsePly(rows('1 2 3 0.5 0.25\n4 5 6 0.5 0.25\n'), 'x'), /line 8: expected 3 values .*found 5/);
    refuses(() => parsePly(rows('1 2\n3 4 5 6\n'), 'x'), /line 8: expected a number, found the end of the line/);
    refuses(() => parsePly(rows('1 2 3\n4 5 6\n7 8 9\n'), 'x'), /line 10: expected the end of the file, found "7 8 9"/);
    assert.deepEqual([...parsePly(rows('\n1 2 3\n\n  4 5 6  \n\n'), 'x').vertices], [1, 2, 3, 4, 5, 6]);
    const header = `ply\nformat binary_little_endian 1.0\nelement vertex 2\n${xyz}\nend_header\n`;
    const binary = (bytes: number): Buffer => Buffer.concat([Buffer.from(header), Buffer.alloc(bytes)]);
    assert.equal(parsePly(binary(24), 'x').vertices.length, 6);
    refuses(() => parsePly(binary(32), 'x'), /byte \d+: expected the end of the file, found 8 bytes more/);
  });

  test('ply: strips become triangles that all face one way; other surfaces are not lost silently', () => {
    const strips = 'element tristrips 1\nproperty list int int vertex_indices\n';
    const mesh = parsePly(plyOf('ply\n', strips, '4 0 1 2 3\n'), 'x');
    assert.deepEqual([...mesh.faces], [0, 1, 2, 2, 1, 3]);
    assert.deepEqual(areas(mesh), { total: 10_000, signed: 10_000 });
    // -1 begins a new strip, whose first triangle turns as it is written.
    const two = parsePly(plyOf('ply\n', strips, '7 0 1 2 -1 1 3 2\n'), 'x');
    assert.deepEqual([...two.faces], [0, 1, 2, 1, 3, 2]);
    refuses(() => parsePly(plyOf('ply\n', strips, '4 0 1 2 -2\n'), 'x'), /strip 0, line \d+.*-2/);
    refuses(() => parsePly(plyOf('ply\n', strips, '4 0 1 2 4\n'), 'x'), /vertices 0 to 3, found one with vertex 4/);
    const grid = 'element range_grid 1\nproperty list uchar int vertex_indices\n';
    refuses(() => parsePly(plyOf('ply\n', grid, '1 0\n'), 'x'), /vertices joined by "range_grid"/);
    refuses(() => parsePly(plyOf('ply\n', 'element vertex 0\n', ''), 'x'), /line 7: expected each element once/);
  });

  test('obj: a comment ends with its line, behind a statement too; a name does not swallow the next statement', () => {
    const text = '# exported from C:\\scans\\\nv 0 0 0 # first\nv 100 0 0\nv 100 100 0 \\\n\nf 1 2 3 # C:\\\n';
    const mesh = parseObj(text, 'x');
    assert.deepEqual([...mesh.vertices], [0, 0, 0, 100, 0, 0, 100, 100, 0]);
    assert.deepEqual([...mesh.faces], [0, 1, 2]);
    refuses(() => parseObj('mtllib C:\\scans\\\nv 0 0 0\nv 1 0 0\n', 'x'), /line 2.*does not end in a backslash/);
  });

  test('obj: what is behind a position is a weight of 1 or a colour; surfaces that are no polygons are refused', () => {
    assert.deepEqual(
      [...parseObj('v 1 2 3 1\nv 1 2 3 .5 .5 .5\nv 1 2 3 1 .5 .5 .5\n', 'x').vertices.slice(3)],
      [1, 2, 3, 1, 2, 3],
    );
    refuses(() => parseObj('v 1 2 3 0.5\n', 'x'), /line 1: expected a weight of 1/);
    refuses(() => parseObj('v 1 2 3 4 5\n', 'x'), /line 1: expected a vertex/);
    refuses(() => parseObj('v 1 2 0x10\n', 'x'), /line 1: expected a vertex/);
    refuses(() => parseObj('v 1 2 1e39\n', 'x'), /line 1: expected a vertex/);
    refuses(() => parseObj('v 1 2 3\nsurf 0 1 0 1 1\n', 'x'), /line 2: expected a statement of polygons.*surf/);
    refuses(() => parseObj('v 1 2 3\nf 1 1 2\n', 'x'), /line 2.*one with vertex 2/);
  });

  test('a concave polygon keeps its area and its side, whichever corner comes first and wherever it lies', () => {
    const arrow = [
      [0, 0],
      [100, 0],
      [25, 25],
      [0, 100],
    ] as const;
    // Turned about the x axis by 60° and moved: no coordinate plane.
    const [cos, sin] = [0.5, Math.sqrt(3) / 2];
    for (let first = 0; first < 4; first++) {
      const corners = [0, 1, 2, 3].map((i) => ((first + i) % 4) + 1).join(' ');
      const flat = arrow.map(([x, y]) => `v ${x} ${y} 0`).join('\n');
      const { total, signed } = areas(parseObj(`${flat}\nf ${corners}\n`, 'x'));
      assert.ok(Math.abs(total - 2500) < 1e-6 && Math.abs(signed - 2500) < 1e-6, `${total} ${signed}`);
      const turned = arrow.map(([x, y]) => `v ${x + 7} ${y * cos} ${y * sin}`).join('\n');
      assert.ok(Math.abs(areas(parseObj(`${turned}\nf ${corners}\n`, 'x')).signed - 2500 * cos) < 1e-3);
    }
    const clockwise = areas(parseObj(`${arrow.map(([x, y]) => `v ${x} ${y} 0`).join('\n')}\nf 4 3 2 1\n`, 'x'));
    assert.ok(Math.abs(clockwise.signed + 2500) < 1e-6);
  });

  test('a polygon that crosses itself is refused; a convex one of many corners is a fan', () => {
    refuses(() => parseObj('v 0 0 0\nv 1 1 0\nv 1 0 0\nv 0 1.5 0\nf 1 2 3 4\n', 'x'), /line 5.*does not cross itself/);
    const star = [0, 2, 4, 1, 3].map(
      (k) => `v ${Math.cos((k * 2 * Math.PI) / 5)} ${Math.sin((k * 2 * Math.PI) / 5)} 0`,
    );
    refuses(() => parseObj(`${star.join('\n')}\nf 1 2 3 4 5\n`, 'x'), /line 6.*does not cross itself/);
    const count = 1000;
    const circle = Array.from(
      { length: count },
      (_, k) => `v ${Math.cos((k * 2 * Math.PI) / count)} ${Math.sin((k * 2 * Math.PI) / count)} 0`,
    );
    const face = `f ${circle.map((_, k) => k + 1).join(' ')}`;
    assert.equal(parseObj(`${circle.join('\n')}\n${face}\n`, 'x').faces.length, 3 * (count - 2));
    const dented = [...circle];
    dented[10] = 'v 0.1 0 0';
    refuses(() => parseObj(`${dented.join('\n')}\n${face}\n`, 'x'), /a concave polygon of at most 256 corners/);
  });
});
