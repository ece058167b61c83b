import { makeScratch } from '../../test/support/scratch.ts';
import { writeConfig } from '../gateway.ts';
import { runMeasured } from '../measured-program.ts';
import { readConfig, seedTokens, writeTokens } from '../seed.ts';
import { atMost, type Row } from '../table.ts';

const budgetUs = 3;

/** `decide()` alone, with the credential in memory and a path scope, in µs of CPU. */
export async function decisionCost(): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-decision');
  try {
    const { configFile } = await writeConfig(scratch, 'decision', 9);
    const tokensFile = scratch.file('tokens');
    writeTokens(tokensFile, await seedTokens(readConfig(configFile), 1, 1));
    const { decisionUs } = await runMeasured<{ decisionUs: number }>('decision', [configFile, tokensFile]);
    return [atMost('decision alone, cached, path scope', decisionUs, budgetUs, ' µs')];
  } finally {
    await scratch.remove();
  }
}
