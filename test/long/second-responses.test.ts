import { describe, test } from 'node:test';
import { assertEachGetsTheirs, moments } from '../integration/second-responses-fixture.ts';

describe('a second response to one request, for a long time', () => {
  for (const [when, message] of moments) {
    test(`${when} reaches no other token's client, in 20 listeners of 200 exchanges each`, async (t) => {
      // A backend is found out soon: what counts is the time before.
      for (let listener = 0; listener < 20; listener++) await assertEachGetsTheirs(t, message, 50);
    });
  }
});
