import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** A form to be sent. */
export interface FormPost {
  readonly url: URL;
  /** Sent as Authorization. */
  readonly bearer: string;
  /** application/x-www-form-urlencoded. */
  readonly form: string;
  /** For all of it, milliseconds. */
  readonly waitMs: number;
}

/** More than any answer has. */
const answerCharsMax = 1_048_576;

/**
 * Sends a form and reads the answer whole; follows nothing and tries nothing again.
 * Rejects with CommandFailure (fault) where nobody answers in time.
 */
export function postForm({
  url,
  bearer,
  form,
  waitMs,
}: FormPost): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((settle, reject) => {
    const fail = (error: Error): void => {
      const why = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
      const place = `${url.protocol}//${url.host}`;
      const message = `the gateway at ${place} cannot be asked (${why}): start it, or correct --url; see doors.port.`;
      reject(new CommandFailure(exitCodes.fault, message, error));
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      Authorization: `Bearer ${bearer}`,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': Buffer.byteLength(form),
      Connection: 'close',
    };
    const signal = AbortSignal.timeout(waitMs);
    const sent = send(url, { method: 'POST', headers, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > answerCharsMax) sent.destroy(new Error('the answer is too long'));
      });
      response.on('error', fail);
      response.on('end', () => settle({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', fail);
    sent.end(form);
  });
}
