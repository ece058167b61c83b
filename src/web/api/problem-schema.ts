import { z } from '@hono/zod-openapi';

/** Every answer that is a no (RFC 9457). */
export const problemSchema: z.ZodType = z
  .looseObject({
    type: z.string().openapi({ examples: ['urn:latchkey:problem:stale'] }),
    title: z.string().optional(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'Stays the same: what programs should look at.' }),
    requestId: z.string().openapi({ description: 'Under which the log of the gateway has it.' }),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().optional().openapi({ description: 'JSON Pointer to the field of the body.' }),
          parameter: z.string().optional().openapi({ description: 'Name of the query parameter.' }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi('Problem');
