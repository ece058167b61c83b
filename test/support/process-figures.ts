import { readFile } from 'node:fs/promises';

/** CPU time of a process so far, all its threads, milliseconds; Linux counts it in hundredths of a second. */
export async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** How long a process's main thread was ready to run and had no processor so far, milliseconds. */
export async function waitedMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ');
  return Number(fields[1]) / 1e6;
}
