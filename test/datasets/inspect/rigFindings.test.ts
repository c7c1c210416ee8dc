import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rigFindings } from '../../../datasets/inspect/rigFindings.js';
import type { RigFinding } from '../../../datasets/inspect/types.js';
import { meetingPoint } from '../../../datasets/inspect/rigGeometry.js';
import { cameraCentre, lookAt, type Camera } from '../../../geometry/cameras/camera.js';

const volume = { centre: [0, -50, 0], side: 800 } as const;

/** Six cameras on a half circle of a metre about a point. */
function ring(target: readonly [number, number, number] = volume.centre, radius = 1000): Camera[] {
  return [-90, -55, -20, 20, 55, 90].map((degrees, i) => {
    const angle = (degrees * Math.PI) / 180;
    const height = i % 2 ? 150 : -100;
    const centre = [
      target[0] + radius * Math.sin(angle),
      target[1] + height,
      target[2] + radius * Math.cos(angle),
    ] as const;
    return {
      name: `0${i}_A`,
      width: 1600,
      height: 1200,
      intrinsics: Float64Array.of(2400, 0, 810, 0, 2400, 590, 0, 0, 1),
      extrinsics: lookAt(centre, target, [0, 1, 0]),
      distortion: [0, 0],
    };
  });
}

const changed = (cameras: Camera[], change: (camera: Camera, index: number) => Partial<Camera>): Camera[] =>
  cameras.map((camera, i) => ({ ...camera, ...change(camera, i) }));
const extrinsics = (change: (e: Float64Array, camera: Camera) => readonly number[]) => (camera: Camera) => ({
  extrinsics: Float64Array.from(change(camera.extrinsics, camera)),
});
/** R and t as they stand in a camera-to-world file. */
const backwards = extrinsics((e, camera) => {
  const c = cameraCentre(camera);
  return [e[0]!, e[4]!, e[8]!, c[0], e[1]!, e[5]!, e[9]!, c[1], e[2]!, e[6]!, e[10]!, c[2]];
});
const scaled = (factor: number) => extrinsics((e) => [...e].map((value, i) => (i % 4 === 3 ? value * factor : value)));
const openGl = extrinsics((e) => [...e].map((value, i) => (i < 4 ? value : -value)));
/** Rᵀ beside the right centre. */
const transposed = extrinsics((e, camera) => {
  const rows = [0, 1, 2].map((i) => [e[i]!, e[4 + i]!, e[8 + i]!]);
  const c = cameraCentre(camera);
  return rows.flatMap((row) => [...row, -(row[0]! * c[0] + row[1]! * c[1] + row[2]! * c[2])]);
});

/** Rotations of upright cameras on a circle are symmetric: transposing them changes little. */
const onTheirSide = extrinsics((e) =>
  [...e.subarray(4, 8)].map((value) => -value).concat([...e.subarray(0, 4)], [...e.subarray(8)]),
);

function only(findings: RigFinding[]): RigFinding {
  assert.equal(findings.length, 1, JSON.stringify(findings, null, 1));
  return findings[0]!;
}

describe('what is said of a rig', () => {
  test('nothing, of one as it should be', () => {
    assert.deepEqual(rigFindings(ring(), volume), []);
  });

  const mistakes: [string, Camera[], RegExp, RegExp][] = [
    ['metres', changed(ring(), scaled(0.001)), /1\.00 to 1\.01 from the origin.*look like metres/, /--units m`/],
    ['centimetres', changed(ring(), scaled(0.1)), /look like centimetres/, /--units cm`/],
    [
      'camera-to-world taken for world-to-camera',
      changed(ring(), backwards),
      /0 of 6 .* 6 would if rotation and translation go the other way/,
      /--extrinsics/,
    ],
    [
      'OpenGL axes',
      changed(ring(), openGl),
      /0 of 6 .* 6 would if the cameras look the other way/,
      /Negate the second and third row/,
    ],
    [
      'transposed rotations',
      changed(changed(ring(), onTheirSide), transposed),
      /6 would if the rotations are transposed/,
      /columns as rows/,
    ],
  ];
  for (const [what, cameras, found, advice] of mistakes) {
    test(`${what}: the mistake that all share is named once`, () => {
      const finding = rigFindings(cameras, volume).find(
        ({ camera, severity }) => camera === null && severity === 'error',
      );
      assert.match(finding!.found, found);
      assert.match(finding!.advice, advice);
    });
  }

  test('a camera that looks elsewhere is named, and where the head is in its image', () => {
    const cameras = ring();
    cameras[2] = { ...cameras[2]!, extrinsics: lookAt([300, 0, 950], [900, 0, 2000], [0, 1, 0]) };
    const finding = rigFindings(cameras, volume).find(({ camera }) => camera === '02_A');
    assert.equal(finding?.severity, 'error');
    assert.match(finding.found, /the volume's centre \(0, -50, 0\) is behind it/);
  });

  test('a world whose origin is elsewhere: where the cameras look, and the option that moves it', () => {
    const cameras = ring([30, 80, 900]);
    const findings = rigFindings(cameras, volume).filter(({ camera }) => camera === null);
    const finding = findings.find(({ found }) => found.includes('meet'));
    assert.match(finding!.found, /meet at about \(30, 80, 900\) mm/);
    assert.match(finding!.advice, /--origin 30 80 900/);
    assert.deepEqual(meetingPoint(cameras)!.map(Math.round), [30, 80, 900]);
  });

  test('optics of another image size, and a stretched one', () => {
    const small = changed(ring(), (_, i) => (i === 1 ? { width: 400, height: 300 } : {}));
    const outside = rigFindings(small, volume).find(({ severity }) => severity === 'error');
    assert.equal(outside?.camera, '01_A');
    assert.match(outside.found, /principal point at \(810, 590\) of 400×300/);
    const stretched = changed(ring(), (_, i) =>
      i === 3 ? { intrinsics: Float64Array.of(2400, 0, 810, 0, 1800, 590, 0, 0, 1) } : {},
    );
    assert.match(only(rigFindings(stretched, volume)).found, /focal lengths of 2400 and 1800 px/);
  });

  test('cameras without a baseline, one twice, too near, or one alone', () => {
    const [first] = ring();
    const together = Array.from({ length: 3 }, (_, i) => ({ ...first!, name: `${i}_A` }));
    const found = rigFindings(together, volume).map((finding) => finding.found);
    assert.ok(
      found.some((text) => text.startsWith('all cameras within 0.0°')),
      String(found),
    );
    assert.equal(found.filter((text) => /it stands where \d_A does/.test(text)).length, 3);
    assert.match(only(rigFindings([first!], volume)).expected, /two at least/);
    const near = rigFindings(ring([0, -50, 0], 215), volume);
    assert.ok(
      near.length > 0 && near.every(({ found: text }) => /mm from the volume's centre/.test(text)),
      JSON.stringify(near),
    );
  });
});
