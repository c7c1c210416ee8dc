/** `--set path=value`, of every command that takes a configuration. */
export const setOption = {
  type: 'string',
  array: true,
  nargs: 1,
  default: [] as string[],
  describe: 'Override a setting: path=value; may be repeated',
} as const;
