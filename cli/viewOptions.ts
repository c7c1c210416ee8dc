import type { Argv } from 'yargs';

/** Which views the networks see: short for two settings. */
export interface ViewOptions {
  cameras: string | undefined;
  'views-at-most': number | undefined;
}

export function withViewOptions<T>(yargs: Argv<T>): Argv<T & ViewOptions> {
  return yargs
    .option('cameras', { type: 'string', describe: 'Only these cameras: NAME,NAME,… (the setting cameras)' })
    .option('views-at-most', {
      type: 'number',
      describe: 'Views a frame at most, spread evenly over the cameras (the setting viewsAtMost)',
    });
}

/** The overrides of a command line, with those that its view options stand for. */
export function overridesOf(options: ViewOptions & { readonly set: readonly string[] }): string[] {
  const { cameras, 'views-at-most': viewsAtMost, set } = options;
  const names = cameras?.split(',').map((name) => name.trim());
  return [
    ...set,
    ...(names ? [`cameras=${JSON.stringify(names.filter((name) => name !== ''))}`] : []),
    ...(viewsAtMost === undefined ? [] : [`viewsAtMost=${viewsAtMost}`]),
  ];
}
