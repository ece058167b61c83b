/** What keeps a worker from serving. The message says what to do, and holds no secret. */
export class WorkerFailure extends Error {
  override readonly name = 'WorkerFailure';
}
