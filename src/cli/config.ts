import type { Command } from 'commander';
import type { ConfigResult } from '../config/load.ts';
import { printable } from '../core/printable.ts';
import {
  addConfigOptions,
  configFailure,
  problemsOfLateFiles,
  readCommandConfig,
  requireCommandConfig,
} from './command-config.ts';
import type { CommandIo, GlobalOptions } from './command-io.ts';

/** Adds `config check`, `config show` and `config schema`. */
export function registerConfig(program: Command, io: CommandIo): void {
  const config = program.command('config').description('check and show the configuration');

  addConfigOptions(config.command('check'))
    .description('read the configuration and name everything that is wrong with it')
    .action(async (_options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const loaded = await checkedConfig(command, io);
      if (loaded.kind === 'invalid') {
        const { file, problems } = loaded;
        if (json) io.stdout(`${JSON.stringify({ ok: false, file, problems })}\n`);
        throw configFailure(loaded);
      }
      const routes = loaded.config.routes.map((route) => route.name);
      if (json) io.stdout(`${JSON.stringify({ ok: true, file: loaded.file, routes })}\n`);
      else
        io.stdout(
          `ok: ${printable(loaded.file ?? 'no file')}, ${count(routes.length, 'route')} (${routes.join(', ')})\n`,
        );
    });

  addConfigOptions(config.command('show'))
    .description('print every value, where it came from, and no secret')
    .action(async (_options: unknown, command: Command) => {
      const loaded = await requireCommandConfig(command, io, 'required');
      const { describeConfig, toPlain, toYaml } = await import('../config/show.ts');
      const entries = describeConfig(loaded);
      const { json } = command.optsWithGlobals<GlobalOptions>();
      if (json) io.stdout(`${JSON.stringify({ file: loaded.file, ...toPlain(entries) }, null, 2)}\n`);
      else io.stdout(`# ${printable(loaded.file ?? 'no configuration file')}\n${toYaml(entries)}`);
    });

  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(async () => {
      const { configJsonSchema } = await import('../config/json-schema.ts');
      io.stdout(`${JSON.stringify(configJsonSchema, null, 2)}\n`);
    });
}

/** Stricter than a start, which does without what can be read later. */
async function checkedConfig(command: Command, io: CommandIo): Promise<ConfigResult> {
  const result = await readCommandConfig(command, io, 'required');
  if (result.kind === 'invalid') return result;
  const problems = await problemsOfLateFiles(result);
  return problems.length === 0 ? result : { kind: 'invalid', file: result.file, problems };
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
