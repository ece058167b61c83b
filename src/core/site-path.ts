/** Everything of ours lies below this path of the public listener; no route reaches it. */
export const sitePath = '/.latchkey';

/** The API lies below this path, and no page. */
export const apiPath: string = `${sitePath}/api`;
