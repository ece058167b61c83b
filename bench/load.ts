import autocannon from 'autocannon';

/** What to ask for, and how hard. */
export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly connections: number;
  /** For so long, or so many requests. */
  readonly until: { readonly seconds: number } | { readonly requests: number };
}

/**
 * Asks until the time or the number is over, telling of each answer, and returns how many came.
 * Throws where any of them was not a success, because then the figure would be about something else.
 */
export async function applyLoad(load: Load, answered: () => void = () => {}): Promise<number> {
  const { url, method, headers, body, connections, until } = load;
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const instance = autocannon(
    {
      url,
      method,
      headers: { ...headers },
      connections,
      timeout: 60,
      ...('seconds' in until ? { duration: until.seconds } : { amount: until.requests }),
      ...(body === undefined ? {} : { body }),
    },
    (error, result) => (error ? reject(error as Error) : resolve(result)),
  );
  instance.on('response', answered);
  const result = await promise;
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0 || result.requests.total === 0) {
    throw new Error(
      `${method} ${url}: ${result['2xx']} successes, ${result.non2xx} other answers, ${result.errors} errors`,
    );
  }
  return result.requests.total;
}
