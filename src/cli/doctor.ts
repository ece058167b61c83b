import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { Config, RouteConfig } from '../config/config.ts';
import { pathFromText } from '../core/path.ts';
import { printable } from '../core/printable.ts';
import { formatProblem } from '../config/problem.ts';
import { addConfigOptions, problemsOfLateFiles, readCommandConfig } from './command-config.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';
import { checkBackend } from './doctor/backend-checks.ts';
import { backendClient, encodePath } from './doctor/backend-client.ts';
import { fail, ok, skip, type Finding } from './doctor/finding.ts';
import { exchange } from './doctor/http-exchange.ts';
import { checkStorage, storageSkipped, type DoctorProbes } from './doctor/storage-checks.ts';
import { writeTest } from './doctor/write-test.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

interface DoctorOptions extends GlobalOptions {
  readonly as?: string;
  readonly writeTest?: string;
}

/** Adds `doctor`. `probes` open the store and Redis, which the command line does not know itself. */
export function registerDoctor(program: Command, io: CommandIo, probes: DoctorProbes): void {
  addConfigOptions(program.command('doctor'))
    .description('look at configuration, backends, clock, store and Redis, and say what to do')
    .option('--as <user>', 'ask backends in the name of this user')
    .option('--write-test <folder>', 'make, move and remove a file below this path, such as /dav/alice/')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>();
      const findings = await examine(command, io, probes, options);
      io.stdout(options.json ? `${JSON.stringify(findings, null, 2)}\n` : render(findings, io.color));
      if (findings.some((finding) => finding.level === 'fail')) io.setExitCode(exitCodes.fault);
    });
}

async function examine(
  command: Command,
  io: CommandIo,
  probes: DoctorProbes,
  options: DoctorOptions,
): Promise<readonly Finding[]> {
  const result = await readCommandConfig(command, io, 'required');
  if (result.kind === 'invalid') {
    const advice =
      '`latchkey config check` names the same problems; config/latchkey.example.yaml shows every key';
    const problems = result.problems.map((problem) => fail('configuration', formatProblem(problem), advice));
    return [...problems, storageSkipped()];
  }
  const { config } = result;
  const place = options.writeTest === undefined ? null : writePlace(config, options.writeTest);
  const clients = config.routes.flatMap((route) =>
    route.backend.map((origin) => backendClient(route, origin, options.as ?? null, exchange)),
  );
  const backends = await Promise.all(
    clients.map((client) => {
      const folder = place?.route === client.route ? place.folder : client.route.match.path;
      return checkBackend(client, io.clock, folder);
    }),
  );
  return [
    ok('configuration', result.file ?? 'no file; command line, environment and defaults'),
    ...(await problemsOfLateFiles(result)).map((problem) =>
      fail('configuration', formatProblem(problem), 'put it there, or correct its path or permissions'),
    ),
    ...backends.flat(),
    ...(await writing(config, place, options)),
    ...(await checkStorage(config, probes)),
  ];
}

/** Where --write-test may write. */
interface WritePlace {
  readonly route: RouteConfig;
  /** With a slash at both ends. */
  readonly folder: string;
}

function writePlace(config: Config, text: string): WritePlace {
  const folder = pathFromText(text);
  if (typeof folder !== 'string' || !folder.endsWith('/')) {
    throw new CommandFailure(
      exitCodes.usage,
      '--write-test must be a path with a slash at both ends, such as /dav/alice/',
    );
  }
  const route = routeOf(config.routes, folder);
  if (!route) {
    throw new CommandFailure(exitCodes.usage, `--write-test: no WebDAV route serves ${printable(folder)}`);
  }
  return { route, folder };
}

async function writing(
  config: Config,
  place: WritePlace | null,
  options: DoctorOptions,
): Promise<readonly Finding[]> {
  if (place === null) {
    if (config.routes.every((route) => route.kind === 'rest')) return [];
    return [
      skip('chunked PUT, Destination', 'not looked at: --write-test FOLDER tries them in a folder of yours'),
    ];
  }
  const { route, folder } = place;
  const name = `latchkey-doctor-${randomBytes(6).toString('hex')}`;
  const findings: Finding[] = [];
  // One after the other: several backends of a route serve the same data.
  for (const origin of route.backend) {
    const client = backendClient(route, origin, options.as ?? null, exchange);
    findings.push(...(await writeTest(client, encodePath(folder), name)));
  }
  return findings;
}

function routeOf(routes: readonly RouteConfig[], folder: string): RouteConfig | undefined {
  return routes
    .filter((route) => route.kind !== 'rest' && folder.startsWith(route.match.path))
    .toSorted((a, b) => b.match.path.length - a.match.path.length)[0];
}

const colors = { ok: 32, warn: 33, fail: 31, skip: 2 } as const;

function render(findings: readonly Finding[], color: boolean): string {
  const lines = findings.map(({ level, subject, message, advice }) => {
    const mark = color ? `\u001B[${colors[level]}m${level.padEnd(4)}\u001B[0m` : level.padEnd(4);
    return `${mark}  ${printable(`${subject}: ${message}`)}\n${advice === null ? '' : `      -> ${printable(advice)}\n`}`;
  });
  const count = (level: Finding['level']): number => findings.filter((each) => each.level === level).length;
  return `${lines.join('')}${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed\n`;
}
