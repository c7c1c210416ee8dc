import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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

// Every room may have what knows nothing of any.
const shared = ['text', 'network'];
for (const [room, allowed] of Object.entries(rooms)) if (room !== 'workflows') allowed.push(...shared);
for (const room of shared) rooms[room] = [];

const names = Object.keys(rooms);

/** One lint block a room: every other room that its row does not name is refused, with the row in the message. */
const roomRules = names.map((room) => {
  const allowed = rooms[room];
  const refused = names.filter(
    (other) => other !== room && !allowed.includes(other) && !allowed.includes(`types:${other}`),
  );
  const typesOnly = names.filter((other) => allowed.includes(`types:${other}`));
  // configs/temporal.ts holds nothing but constants: workflow code may have them.
  const inRoom = (list) => `^(\\.\\./)+(${list.join('|')})/(?!temporal\\.js$)`;
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
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
});

export default tseslint.config(
  { ignores: ['build/**', 'build-*/**', 'node_modules/**', '.tempeh/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked.map((block) => ({ ...block, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // node:test's `test` and `describe` return promises that the runner itself awaits.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
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
    // What commands say may hold text from outside.
    files: ['cli/**/*.ts'],
    ignores: ['cli/terminal/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "MemberExpression[object.object.name='process'][object.property.name='stdout'][property.name='write']",
          message:
            'Commands print by print and printJson (cli/terminal/print.ts): nothing in a text is obeyed but colours.',
        },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate'] },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  {
    // Scripts of the report's page.
    files: ['report/browser/**/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: Object.fromEntries(
        ['document', 'window', 'atob', 'Blob', 'Response', 'DecompressionStream', 'URL', 'ResizeObserver']
          .concat(['requestAnimationFrame', 'getComputedStyle', 'unpacked', 'libraryAddress', 'cannotShow'])
          .map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-unused-vars': 'off', 'no-redeclare': 'off' },
  },
  ...roomRules,
);
