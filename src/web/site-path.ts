/** Everything of ours lies below this path of the public listener. */
export const sitePath = '/.latchkey';
