import { availableParallelism } from 'node:os';
import { z } from 'zod';

const workersMax = 256;
const error = `must be auto, or a whole number from 1 to ${workersMax}`;

/** `workers:` of the configuration file: how many processes serve; `auto` is one for each core that may be used. */
export const workersSchema: z.ZodType<number> = z
  .union([z.string(), z.number()], { error })
  .transform((written, context) => {
    const count =
      written === 'auto'
        ? Math.min(availableParallelism(), workersMax)
        : Number(written && String(written).trim());
    if (Number.isInteger(count) && count >= 1 && count <= workersMax) return count;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  })
  .prefault(1)
  .meta({
    description:
      'Processes that serve, on one port: a number, or auto for one per core. Default 1: no other process.',
  });
