import { z } from 'zod';
import type { TracingConfig } from './tracing-config.ts';

/** `tracing:` of the configuration file. */
export const tracingSchema: z.ZodType<TracingConfig> = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .meta({ description: 'Make a span of each request; needs @opentelemetry/api and an SDK beside it.' }),
});
