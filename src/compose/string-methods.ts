/** V8 collects what it learns of a function only after some calls; then one more suffices. */
const callsUntilNoticed = 100;

/**
 * Makes string methods as fast as they are in a fresh process, and keeps them so. V8 turns a prototype into a slow
 * dictionary when a class is derived from it, and back when a property is read through an object that has it; strings
 * are no objects, so after some package's `class … extends String` (ioredis has one) `text.charCodeAt(at)`
 * costs 20 ns instead of 1 for the rest of the process. Here such an object is read through.
 */
export function keepStringMethodsFast(): void {
  const boxed: object = Object('');
  for (let call = 0; call < callsUntilNoticed; call++) readThrough(boxed);
}

function readThrough(boxed: object): unknown {
  return (boxed as { readonly charCodeAt: unknown }).charCodeAt;
}
