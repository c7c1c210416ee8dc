import { summaryRecord, tensor, value } from './eventRecords.js';
import { bytesField, doubleField, integerField, messageField, textField } from './protobuf.js';

/** A head as TensorBoard's page of meshes turns it. */
export interface EventMesh {
  /** `[L, 3]`. */
  readonly vertices: Float32Array;
  /** `[F, 3]`. */
  readonly faces: Uint32Array;
  /** `[L, 3]`, 0 to 255. */
  readonly colours: Uint8Array;
}

/** Of framework/summary.proto: metadata, its plugin, and that it is a tensor. */
const metadata = { plugin: 1, dataClass: 4 } as const;
const plugin = { name: 1, content: 2 } as const;
const tensorClass = 2;
/** Numbers of types of framework/types.proto. */
const types = { float: 1, integer: 3, byte: 4 } as const;
/** Field numbers of plugins/mesh/plugin_data.proto. */
const mesh = { name: 2, content: 3, configuration: 5, shape: 6, components: 7 } as const;
const meshParts = { VERTEX: 1, FACE: 2, COLOR: 3 } as const;
/** Field numbers of plugins/hparams/plugin_data.proto, and of google.protobuf.Value. */
const hparams = { sessionStart: 3, map: 1, groupName: 4, startTime: 5 } as const;
const entry = { key: 1, value: 2 } as const;
const anyValue = { number: 2, text: 3, truth: 4 } as const;

/** The three records of a mesh: its vertices, faces and colours. @param wallTime seconds since 1970. */
export function meshRecords(wallTime: number, step: number, name: string, head: EventMesh): Buffer[] {
  const { vertices, faces, colours } = head;
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array | Uint8Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  const components = Object.values(meshParts).reduce((sum, part) => sum + 2 ** part, 0);
  const part = (content: keyof typeof meshParts, type: number, rows: number, bytes: Buffer): Buffer => {
    const shape = [1, rows, 3];
    const described = [
      textField(mesh.name, name),
      integerField(mesh.content, meshParts[content]),
      textField(mesh.configuration, '{}'),
      ...shape.map((side) => integerField(mesh.shape, side)),
      integerField(mesh.components, components),
    ];
    return summaryRecord(
      wallTime,
      step,
      textField(value.tag, `${name}_${content}`),
      pluginMetadata('mesh', Buffer.concat(described)),
      messageField(
        value.tensor,
        integerField(tensor.type, type),
        messageField(tensor.shape, ...shape.map((side) => messageField(2, integerField(1, side)))),
        bytesField(tensor.content, bytes),
      ),
    );
  };
  return [
    part('VERTEX', types.float, vertices.length / 3, bytesOf(vertices)),
    part('FACE', types.integer, faces.length / 3, bytesOf(faces)),
    part('COLOR', types.byte, colours.length / 3, bytesOf(colours)),
  ];
}

/** What the page of hyper-parameters knows a run by. @param settings by their names; what is null is left out. */
export function hparamsRecord(
  wallTime: number,
  group: string,
  settings: Readonly<Record<string, string | number | boolean | null>>,
): Buffer {
  const fields = Object.entries(settings).flatMap(([name, setting]) => {
    if (setting === null) return [];
    const content =
      typeof setting === 'number'
        ? doubleField(anyValue.number, setting)
        : typeof setting === 'boolean'
          ? integerField(anyValue.truth, setting ? 1 : 0)
          : textField(anyValue.text, setting);
    return [messageField(hparams.map, textField(entry.key, name), messageField(entry.value, content))];
  });
  const start = messageField(
    hparams.sessionStart,
    ...fields,
    textField(hparams.groupName, group),
    doubleField(hparams.startTime, wallTime),
  );
  return summaryRecord(
    wallTime,
    0,
    textField(value.tag, '_hparams_/session_start_info'),
    pluginMetadata('hparams', start),
    // An empty tensor: the metadata say it all.
    messageField(
      value.tensor,
      integerField(tensor.type, types.float),
      messageField(tensor.shape, messageField(2, integerField(1, 0))),
    ),
  );
}

function pluginMetadata(name: string, content: Buffer): Buffer {
  return messageField(
    value.metadata,
    messageField(metadata.plugin, textField(plugin.name, name), bytesField(plugin.content, content)),
    integerField(metadata.dataClass, tensorClass),
  );
}
