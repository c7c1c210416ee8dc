/**
 * What `npm run check` looks at, types included: the rules that ESLint and typescript-eslint recommend, and which room may
 * import which.
 */
/**
 * The rooms of docs/architecture.md and what each may import. A name alone allows values and types; `types:NAME`
 * allows `import type` only. A room may always import itself; what is not named here is refused.
 */
const rooms = {
  cli: [
    'activities',
    'client',
    'workers',
    'miniature',
    'datasets',
    'checkpoints',
    'model',
    'training',
    'inference',
    'evaluation',
    'report',
    'tensor',
    'geometry',
    'storage',
    'configs',
    'infra',
    'types:workflows',
  ],
  client: ['activities', 'configs', 'types:workflows'],
  workflows: [
    'types:activities',
    'types:checkpoints',
    'types:configs',
    'types:training',
    'types:inference',
    'types:evaluation',
  ],
  activities: [
    'datasets',
    'checkpoints',
    'evaluation',
    'report',
    'storage',
    'configs',
    'types:training',
    'types:inference',
    'types:geometry',
  ],
  workers: ['activities', 'client', 'training', 'inference', 'configs', 'storage', 'types:datasets', 'types:workflows'],
  miniature: ['datasets', 'geometry', 'storage', 'types:configs'],
  datasets: ['geometry', 'storage', 'types:configs'],
  checkpoints: ['storage', 'types:configs'],
  model: ['tensor', 'geometry', 'types:configs'],
  training: ['model', 'datasets', 'checkpoints', 'tensor', 'geometry', 'storage', 'types:configs'],
  inference: ['model', 'datasets', 'checkpoints', 'tensor', 'geometry', 'storage', 'training', 'types:configs'],
  evaluation: ['datasets', 'geometry', 'storage', 'types:configs'],
  report: ['evaluation', 'checkpoints', 'datasets', 'geometry', 'storage'],
  tensor: [],
  geometry: [],
  storage: [],
  configs: [],
  infra: [],
  bench: [
    'cli',
    'client',
    'workers',
    'infra',
    'miniature',
    'model',
    'checkpoints',
    'training',
    'inference',
    'datasets',
    'tensor',
    'geometry',
    'storage',
    'configs',
  ],
};

// Every room may have what knows nothing of any; workflow code what is nothing but text.
const shared = ['text', 'network', 'disk'];
for (const [room, allowed] of Object.entries(rooms)) allowed.push(...(room === 'workflows' ? ['text'] : shared));
for (const room of shared) rooms[room] = [];

const names = Object.keys(rooms);

/** Node's own, with `recursive`, never returns below /proc. */
const foldersByHand = ['node:fs', 'node:fs/promises'].map((name) => ({
  name,
  importNames: ['mkdir', 'mkdirSync'],
  message: 'Folders are made by disk/makeFolder.ts.',
}));

/** One lint block a room: every other room that its row does not name is refused, with the row in the message. */
const roomRules = names.map((room) => {
  const allowed = rooms[room];
  const refused = names.filter(
    (other) => other !== room && !allowed.includes(other) && !allowed.includes(`types:${other}`),
  );
  const typesOnly = names.filter((other) => allowed.includes(`types:${other}`));
  // configs/temporal.ts holds constants, and a sum of what they bound: workflow code may have them. (Expressions here look at nothing ahead.)
  const places = (list) => list.map((name) => (name === 'configs' ? 'configs/([^t]|t[^e]|te[^m])' : `${name}/`));
  const inRoom = (list) => `^(\\.\\./)+(${places(list).join('|')})`;
  const patterns = [
    { regex: '^(\\.\\./)+test/', message: 'The program imports nothing from test/.' },
    ...(refused.length
      ? [
          {
            regex: inRoom(refused),
            message: `${room}/ may import: ${allowed.join(', ') || 'nothing of ours'} (docs/architecture.md).`,
          },
        ]
      : []),
    ...(typesOnly.length
      ? [{ regex: inRoom(typesOnly), allowTypeImports: true, message: `${room}/ may import types only from there.` }]
      : []),
    ...(room === 'tensor'
      ? []
      : [{ regex: '^@tensorflow/', allowTypeImports: true, message: 'Only tensor/ touches the TensorFlow binding.' }]),
    ...(room === 'workflows'
      ? [
          {
            regex: '^(node:|fs|path|os|crypto|child_process)',
            message: 'Workflow code is deterministic: no Node built-ins.',
          },
        ]
      : []),
  ];
  return {
    files: [`${room}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns, ...(room !== 'disk' && { paths: foldersByHand }) }] },
  };
});

export default {
  plugins: ['typescript'],
  options: { typeAware: true, typeCheck: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['build/**', 'build-*/**', 'node_modules/**', '.tempeh/**'],
  categories: { correctness: 'error' },
  rules: {
    // What they recommend beyond what is called correctness here; then what they do not.
    ...Object.fromEntries(
      [
        ...['no-array-constructor', 'no-case-declarations', 'no-empty', 'no-fallthrough', 'no-prototype-builtins'],
        ...['no-regex-spaces', 'no-unexpected-multiline', 'no-useless-assignment', 'no-var', 'prefer-const'],
        ...['prefer-rest-params', 'prefer-spread', 'preserve-caught-error'],
      ].map((rule) => [rule, 'error']),
    ),
    'typescript/no-misused-spread': 'off',
    'typescript/require-array-sort-compare': 'off',
    'typescript/restrict-template-expressions': 'off',
  },
  overrides: [
    {
      files: ['**/*.ts'],
      rules: {
        ...Object.fromEntries(
          [
            ...[
              'ban-ts-comment',
              'consistent-type-imports',
              'no-empty-object-type',
              'no-explicit-any',
              'no-floating-promises',
            ],
            ...['no-misused-promises', 'no-namespace', 'no-require-imports', 'no-unnecessary-type-assertion'],
            ...['no-unnecessary-type-constraint', 'no-unsafe-argument', 'no-unsafe-assignment', 'no-unsafe-call'],
            ...['no-unsafe-enum-comparison', 'no-unsafe-function-type', 'no-unsafe-member-access', 'no-unsafe-return'],
            ...['only-throw-error', 'prefer-promise-reject-errors', 'restrict-plus-operands'],
          ].map((rule) => [`typescript/${rule}`, 'error']),
        ),
        'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
        'max-lines': ['error', { max: 300 }],
      },
    },
    {
      // node:test's `test` and `describe` return promises that the runner itself awaits.
      files: ['test/**/*.ts'],
      rules: {
        'typescript/no-floating-promises': [
          'error',
          {
            allowForKnownSafeCalls: [
              { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
            ],
          },
        ],
      },
    },
    {
      files: ['workflows/**/*.ts'],
      rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate'] },
    },
    { files: ['**/*.mjs', '**/*.js'], env: { node: true, es2024: true }, rules: { 'no-undef': 'error' } },
    {
      // Scripts of the report's page.
      files: ['report/browser/**/*.js'],
      env: { browser: true },
      globals: { unpacked: 'readonly', libraryAddress: 'readonly', cannotShow: 'readonly' },
      rules: { 'no-unused-vars': 'off', 'no-redeclare': 'off', 'typescript/no-floating-promises': 'off' },
    },
    ...roomRules,
  ],
};
