/** Runs a streaming backend, says its URL, and ends when nobody listens to it any more. */
import { startStreamingBackend } from './streaming-backend.ts';

const { url } = await startStreamingBackend();
process.on('disconnect', () => process.exit(0));
process.send?.(url);
