#!/usr/bin/env node
import { processIo } from './cli/process-io.ts';
import { runProgram } from './cli/program.ts';

const exitCode = await runProgram(process.argv.slice(2), processIo());
if (exitCode !== null) process.exitCode = exitCode;
