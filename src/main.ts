#!/usr/bin/env node
// Before all else is loaded: a HUP that comes this early would end a gateway. `serve` reads its configuration later.
if (process.argv.includes('serve')) process.on('SIGHUP', () => undefined);
// What is sent to all of a gateway's processes comes to its workers too: theirs says what is to be done.
if (process.argv.includes('--worker')) process.on('SIGTERM', () => undefined).on('SIGINT', () => undefined);

const { processIo } = await import('./cli/process-io.ts');
const { runProgram } = await import('./cli/program.ts');

const exitCode = await runProgram(process.argv.slice(2), processIo());
if (exitCode !== null) process.exitCode = exitCode;
