import { createRequire } from 'node:module';

/** A namespace, message or service, as Temporal's package has it for protobufjs. */
interface Described {
  nested?: Record<string, Described>;
  methods?: Record<string, { readonly requestType: string; readonly responseType: string }>;
}

interface Root {
  addJSON(nested: Record<string, Described>): Root;
}

interface Protobufjs {
  readonly Root: new () => Root;
  readonly roots: Record<string, Root>;
}

/** Methods of a service that ask, and change nothing. */
const asks = /^(Get|Describe|List|Query|Count)/;

/**
 * Lets this process's Temporal client know only what asks: Temporal's package describes 1,300 messages, and to make
 * them all is a third of what `tempeh-flow list` would take. To be called before the client is loaded, by a process that
 * starts, steers and works at nothing: such calls would not be found.
 */
export function knowOnlyWhatAsks(): void {
  const require = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
  const { Root, roots } = require('protobufjs/light') as Protobufjs;
  const root = new Root();
  const ofWhatAsks = (nested: Record<string, Described>): Root => {
    Reflect.deleteProperty(root, 'addJSON');
    return root.addJSON(whatAsks(nested));
  };
  // Temporal's package adds its messages to the root of this name, if there is one.
  roots['__temporal'] = Object.assign(root, { addJSON: ofWhatAsks });
}

function whatAsks(all: Record<string, Described>): Record<string, Described> {
  // What workers speak, and the administration of a cloud.
  delete all['coresdk'];
  const api = all['temporal']?.nested?.['api']?.nested ?? {};
  delete api['cloud'];
  for (const { nested: versions = {} } of [api['workflowservice'] ?? {}, api['operatorservice'] ?? {}]) {
    for (const { nested = {} } of Object.values(versions)) {
      for (const { methods = {} } of Object.values(nested)) {
        for (const [name, { requestType, responseType }] of Object.entries(methods)) {
          if (asks.test(name)) continue;
          delete methods[name];
          delete nested[requestType];
          delete nested[responseType];
        }
      }
    }
  }
  return all;
}
