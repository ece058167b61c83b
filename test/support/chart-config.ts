import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { runCommand, type CommandOutcome } from './command-line.ts';
import { configText, type KubernetesObject } from './helm.ts';
import { makeScratch, type Scratch } from './scratch.ts';

const assertionKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });

/** Something that can be what the name of its file says. */
async function contentOf(path: string, scratch: Scratch): Promise<string | Buffer> {
  if (path.endsWith('/assertion-key.pem')) return assertionKey;
  if (!path.includes('/tls.')) return `a secret of thirty-two bytes at least: ${path}`;
  if (!existsSync(scratch.file('server.pem'))) await makeCertificates(scratch);
  return readFile(scratch.file(path.endsWith('.key') ? 'server.key' : 'server.pem'));
}

/** Runs `latchkey config check` as the pod would, with each secret that the configuration names in a file. */
export async function checkConfig(objects: readonly KubernetesObject[]): Promise<CommandOutcome> {
  const text = configText(objects);
  const scratch = await makeScratch('chart');
  try {
    const secrets = [...text.matchAll(/fromFile: (\/run\/secrets\/\S+)/g)].map(([, path]) => path ?? '');
    for (const path of secrets) {
      await mkdir(join(scratch.path, path, '..'), { recursive: true });
      await writeFile(join(scratch.path, path), await contentOf(path, scratch));
    }
    await writeFile(
      scratch.file('latchkey.yaml'),
      text.replaceAll('fromFile: /', `fromFile: ${scratch.path}/`),
    );
    return await runCommand(['config', 'check', '--config', scratch.file('latchkey.yaml')], {
      cwd: scratch.path,
    });
  } finally {
    await scratch.remove();
  }
}
