/** The configuration file. */
import assert from 'node:assert/strict';
import { type ConfigResult, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { describeConfig, toPlain, toYaml } from '../../src/config/show.ts';

export const subjects: readonly string[] = [
  ...[
    'load.ts',
    'yaml-source.ts',
    'issues.ts',
    'cross-checks.ts',
    'route-checks.ts',
    'resolve.ts',
    'show.ts',
  ],
  ...[
    'schema.ts',
    'route-schema.ts',
    'schema-parts.ts',
    'quantities.ts',
    'addresses.ts',
    'paths.ts',
    'nearest-name.ts',
  ],
].map((name) => `config/${name}`);

export const words: readonly string[] = [
  ...[
    'backend: http://a\n',
    'routes:\n  - name: a\n    backend: http://a\n',
    '{fromEnv: SECRET}',
    '{fromFile: secret}',
    '&a ',
    '*a',
    '<<: ',
    '!!str ',
  ],
  ...[
    '---\n',
    '|\n',
    '>-\n',
    '? ',
    '"\\u0000"',
    '{user}',
    '{node}',
    '10GiB',
    '250ms',
    '0x1F',
    '.inf',
    '~',
    'null',
    '\t',
    '%YAML 1.1\n',
    '10.0.0.0/8',
  ],
];

export const stretchedBytes = 2_048;

const file = '/etc/latchkey/latchkey.yaml';
const secret = 'canary-canary-canary-canary-canary-canary';

/**
 * Any text is a configuration or a list of problems, never an exception, and the same each time. No problem and no
 * description holds a secret or more than one line; what was loaded is frozen, and its description, written as YAML,
 * loads as the same again.
 */
export function fuzz(input: Buffer): void {
  const text = input.toString('utf8');
  const result = load(text);
  if (result.kind === 'invalid') {
    assert.ok(result.problems.length > 0, 'what is wrong has a reason');
    // Loading takes a millisecond: some of the inputs are enough to see that it always says the same.
    if (input.length % 8 === 0) assert.deepEqual(load(text), result);
    for (const problem of result.problems) {
      const line = formatProblem(problem);
      assert.notEqual(problem.message.trim(), '');
      assert.doesNotMatch(line, /\n|canary/);
    }
    return;
  }
  assertFrozen(result.config);
  assert.deepEqual(result.missingSecrets, []);
  const description = describeConfig(result);
  const shown = toYaml(description);
  assert.doesNotMatch(shown + JSON.stringify(toPlain(description)), /canary/, 'secrets are masked');
  if (shown.includes('********')) return;
  const reloaded = load(shown);
  assert.ok(
    reloaded.kind === 'loaded',
    `shown, it loads: ${reloaded.kind === 'invalid' ? reloaded.problems.map(formatProblem).join('; ') : ''}`,
  );
  assert.deepEqual(reloaded.config, result.config, 'shown, it is the same');
}

function load(yaml: string): ConfigResult {
  // The parser makes an Error of each of its complaints: their stacks would take nine tenths of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return loadText(yaml);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function loadText(yaml: string): ConfigResult {
  return loadConfig({
    flags: [],
    configFlag: file,
    env: { SECRET: secret },
    cwd: '/srv/latchkey',
    routesRequired: true,
    readFile(path) {
      if (path === file) return yaml;
      if (path === '/etc/latchkey/secret') return `${secret}\n`;
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
  });
}

function assertFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  assert.ok(Object.isFrozen(value));
  Object.values(value).forEach(assertFrozen);
}
