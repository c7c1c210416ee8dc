import { vertexNormals } from '../geometry/mesh/normals.js';
import { counterRandom } from '../geometry/random.js';
import { sampleSurface } from '../geometry/mesh/surfaceSampling.js';
import { expressFace, faceRig, neutralVertices, type FaceRig } from './head/expressions.js';
import { features } from './head/headSurface.js';
import {
  fineRelief,
  poseFineSurface,
  subdivideTemplate,
  type FineSurface,
  type PosedSurface,
} from './head/fineSurface.js';
import { Part, type HeadTemplate } from './head/headTemplate.js';
import { drawIdentity, shapeBases } from './head/identities.js';
import { frameState, toWorld } from './scene/motion.js';
import type { MiniatureSettings } from './settings.js';
import { textureGround, type TextureGround } from './appearance/textureGround.js';
import { paintEyeball, paintSkin, type Texture } from './appearance/textures.js';

const eyeballTextureSize = 96;
/** Noise of the scanner, standard deviation a coordinate, mm. */
const scanNoise = 0.06;

/** What all subjects share; computed once. */
export interface Studio {
  readonly settings: MiniatureSettings;
  readonly template: HeadTemplate;
  readonly fine: FineSurface;
  /** The triangles that a scanner sees. `[F, 3]` */
  readonly scannedFaces: Uint32Array;
  readonly rig: FaceRig;
  readonly shapes: readonly Float32Array[];
  readonly ground: TextureGround;
}

export function openStudio(settings: MiniatureSettings, template: HeadTemplate): Studio {
  const fine = subdivideTemplate(template, settings.subdivisions);
  return {
    settings,
    template,
    fine,
    scannedFaces: scannedFaces(fine),
    rig: faceRig(template),
    shapes: shapeBases(template),
    ground: textureGround(settings.textureSize),
  };
}

/** A head in one frame. */
export interface CapturedHead {
  /** The registration: world mm, `[L, 3]`. */
  readonly vertices: Float32Array;
  readonly surface: PosedSurface;
}

/** One person in the studio. */
export interface StudioSubject {
  readonly textures: readonly Texture[];
  capture(sequence: number, kind: string, time: number): CapturedHead;
  /** Points on what is seen of the surface, with a scanner's noise. World mm, `[n, 3]` */
  scan(head: CapturedHead, sequence: number, frame: string): Float32Array;
}

/** @param index the subject's number in the data set. */
export function seatSubject(studio: Studio, subject: string, index: number): StudioSubject {
  const { settings, template, fine } = studio;
  const { appearance, shape } = drawIdentity(settings, subject, index);
  const neutral = neutralVertices(template, studio.shapes, shape);
  const relief = fineRelief(fine, appearance.noiseSeed);
  const eyeball = paintEyeball(eyeballTextureSize, appearance);
  return {
    textures: [paintSkin(studio.ground, appearance), eyeball, eyeball],
    capture: (sequence, kind, time) => {
      const state = frameState(settings, index, sequence, kind, time);
      const vertices = toWorld(expressFace(studio.rig, neutral, state), state);
      const normals = vertexNormals({ vertices, faces: template.mesh.faces });
      return { vertices, surface: poseFineSurface(fine, relief, vertices, normals) };
    },
    scan: (head, sequence, frame) => {
      const random = counterRandom(settings.seed, 'scan', index, sequence, frame);
      const mesh = { vertices: head.surface.vertices, faces: studio.scannedFaces };
      const { points } = sampleSurface(mesh, settings.scanPoints, random.uniform);
      for (let i = 0; i < points.length; i++) points[i]! += scanNoise * random.gaussian();
      return points;
    },
  };
}

/** All of the skin but the sockets behind the eyeballs, and the eyeballs' fronts. */
function scannedFaces(fine: FineSurface): Uint32Array {
  const hidden = Array.from(fine.part, (part, i) => {
    const radius = Math.hypot(fine.chart[2 * i]!, fine.chart[2 * i + 1]!);
    // An eyeball's chart has the polar angle over π as its radius.
    if (part !== Part.skin) return radius > 0.2;
    const [x = 0, y = 0, z = 0] = fine.ground.subarray(3 * i, 3 * i + 3);
    return z > 20 && Math.hypot((Math.abs(x) - features.eye[0]) / 9, (y - features.eye[1]) / 6) < 1;
  });
  const seen: number[] = [];
  for (let f = 0; f < fine.faces.length; f += 3) {
    const corners = fine.faces.subarray(f, f + 3);
    if (!corners.some((corner) => hidden[corner])) seen.push(...corners);
  }
  return Uint32Array.from(seen);
}
